//! Supervisors fail too.

use super::kit::{Diary, Reader, Tell, patient, start};
use crate::{Backoff, ChildSpec, Exit, Kind, State, SupervisorHandle, Tree};

/// root / (a, inner / (b, c, and d while it runs)).
async fn tree(diary: &Diary) -> (Tree, SupervisorHandle, [super::kit::Probe; 4]) {
    let probes = diary.probes(["a", "b", "c", "d"]);
    let [a, b, c, d] = &probes;
    let inner = patient("inner").dynamic(1).child(b.spec()).child(c.spec());
    let handle = inner.handle();
    let inner = ChildSpec::supervisor(inner).backoff(Backoff::NONE);
    let tree = start(patient("root").child(a.spec()).child(inner)).await;
    handle.start_child(d.spec()).await.unwrap();
    assert_eq!(diary.take(), "+a +b +c +d");
    (tree, handle, probes)
}

async fn check_that_it_came_back(
    diary: &Diary,
    tree: &Tree,
    handle: &SupervisorHandle,
    [a, b, c, d]: &[super::kit::Probe; 4],
) {
    let mut lived: Vec<_> = diary.take().split(' ').map(str::to_owned).collect();
    assert_eq!(lived.split_off(3), ["+b", "+c"], "all are gone before the first comes back");
    lived.sort();
    assert_eq!(lived, ["-b", "-c", "-d"]);
    assert!(a.answers().await && b.answers().await && c.answers().await);
    assert!(!d.slot.is_filled(), "a dynamic child is lost");
    let inner = tree.actor("inner").unwrap();
    assert_eq!((inner.kind, inner.state, inner.restarts), (Kind::Supervisor, State::Running, 1));
    assert_eq!(inner.children_total, 2);
    handle.start_child(d.spec()).await.unwrap();
    assert!(d.answers().await, "the handle is as good as before");
}

#[tokio::test]
async fn a_killed_supervisor_comes_back_with_its_children() {
    let diary = Diary::default();
    let (tree, handle, probes) = tree(&diary).await;
    let mut events = Reader::of(&tree);
    tree.kill("root/inner").unwrap();
    assert_eq!(events.failed("root/inner").await, "killed");
    events.started("root/inner").await;
    check_that_it_came_back(&diary, &tree, &handle, &probes).await;
}

#[tokio::test]
async fn a_supervisor_that_panics_comes_back_with_its_children() {
    let diary = Diary::default();
    let (tree, handle, probes) = tree(&diary).await;
    let mut events = Reader::of(&tree);
    tree.panic("inner").await.unwrap();
    assert_eq!(events.failed("root/inner").await, "a panic was asked for");
    events.started("root/inner").await;
    check_that_it_came_back(&diary, &tree, &handle, &probes).await;
}

#[tokio::test]
async fn a_worker_panics_when_it_is_asked_to() {
    let diary = Diary::default();
    let (tree, _, [a, ..]) = tree(&diary).await;
    let mut events = Reader::of(&tree);
    tree.panic("a").await.unwrap();
    assert_eq!(events.failed("root/a").await, "a panic was asked for");
    events.started("root/a").await;
    assert!(a.answers().await);
    assert_eq!(tree.actor("a").unwrap().failed, 1);
}

/// Children that are deep in their work when all above them is killed: they are waited
/// for, so that what comes back does not meet them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_child_is_gone_before_its_supervisor_is_back() {
    let diary = Diary::default();
    let (tree, _, [_, b, ..]) = tree(&diary).await;
    let mut events = Reader::of(&tree);
    for _ in 0..100 {
        let _never = b.hold().await;
        tree.kill("root/inner").unwrap();
        events.started("root/inner").await;
    }
    let of_b: Vec<_> =
        diary.take().split(' ').filter(|line| line.ends_with('b')).map(str::to_owned).collect();
    assert!(of_b.chunks(2).all(|lines| lines == ["-b", "+b"]), "{of_b:?}");
    assert_eq!(of_b.len(), 200);
}

#[tokio::test]
async fn a_supervisor_that_is_killed_while_it_restarts_a_child_leaves_nothing_behind() {
    let diary = Diary::default();
    let (tree, _, [a, b, ..]) = tree(&diary).await;
    let mut events = Reader::of(&tree);
    for _ in 0..50 {
        b.tell(Tell::Panic);
        tree.kill("root/inner").unwrap();
        events.started("root/inner").await;
        assert!(b.answers().await);
    }
    assert!(a.answers().await);
    assert_eq!(tree.stop(super::kit::NEVER).await, Exit::Stopped);
    let lived = diary.take();
    let count = |line: &str| lived.split(' ').filter(|lived| *lived == line).count();
    assert_eq!(count("+b") + 1, count("-b"), "the first start was read before");
}
