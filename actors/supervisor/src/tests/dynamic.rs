//! Children that come and go.

use super::kit::{Diary, NEVER, Reader, Tell, patient, start};
use crate::{ChildError, ChildSpec, Exit, Restart, Slot, State};

#[tokio::test]
async fn a_dynamic_child_lives_by_the_same_rules() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let spec = patient("root").dynamic(2).child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    handle.start_child(b.spec().restart(Restart::Transient)).await.unwrap();
    b.tell(Tell::Panic);
    events.started("root/b").await;
    events.started("root/b").await;

    assert!(matches!(handle.start_child(a.spec()).await, Err(ChildError::AlreadyThere(_))));
    assert!(matches!(handle.start_child(b.spec()).await, Err(ChildError::AlreadyThere(_))));
    handle.start_child(c.spec()).await.unwrap();
    let spare = diary.probe("spare");
    assert!(matches!(handle.start_child(spare.spec()).await, Err(ChildError::Full { max: 2 })));

    b.tell(Tell::End);
    events.stopped("root/b").await;
    handle.stop_child("c").await.unwrap();
    let children = handle.children().await.unwrap();
    assert_eq!(children.len(), 1, "what ended for good is no child any more");
    assert_eq!((tree.snapshot().children_total, &*children[0].id), (1, "a"));
    assert!(matches!(handle.restart_child("b").await, Err(ChildError::NoSuchChild(_))));
}

#[tokio::test]
async fn a_dynamic_child_that_does_not_start_was_never_there() {
    let diary = Diary::default();
    let a = diary.probe("a");
    a.bad_starts.store(1, std::sync::atomic::Ordering::SeqCst);
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let tree = start(spec).await;
    assert!(matches!(handle.start_child(a.spec()).await, Err(ChildError::NotStarted(_))));
    assert_eq!(tree.snapshot().children_total, 0);
    handle.start_child(a.spec()).await.unwrap();
    assert!(matches!(
        handle.start_child(ChildSpec { id: "a/b".into(), ..a.spec() }).await,
        Err(ChildError::Spec(_))
    ));
}

#[tokio::test]
async fn a_supervisor_can_be_a_dynamic_child() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let tree = start(spec).await;
    let inner = ChildSpec::supervisor(patient("inner").child(a.spec()).child(b.spec()));
    handle.start_child(inner.restart(Restart::Temporary)).await.unwrap();
    assert!(a.answers().await);
    assert_eq!(tree.actor("root/inner/b").unwrap().state, State::Running);
    let mut events = Reader::of(&tree);
    tree.kill("inner").unwrap();
    events.failed("root/inner").await;
    assert!(!a.slot.is_filled() && !b.slot.is_filled());
    assert_eq!(handle.children().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_child_made_once_may_own_what_cannot_be_cloned() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let _tree = start(spec).await;
    let connection = Box::new(a.clone());
    let once = ChildSpec::once("a", &Slot::vacant(), move |_| (*connection, ()));
    handle.start_child(once.numerous()).await.unwrap();
    assert_eq!(diary.take(), "+a");
}

#[tokio::test(start_paused = true)]
async fn dynamic_children_drain_together_and_before_the_fixed() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let spec = patient("root").dynamic(2).child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    handle.start_child(b.spec()).await.unwrap();
    handle.start_child(c.spec()).await.unwrap();
    let _never = (b.hold().await, c.hold().await);
    diary.take();
    let begun = tokio::time::Instant::now();
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
    assert_eq!(begun.elapsed().as_secs(), 5, "5 s for both, not for each");
    let lived = diary.take();
    assert!(lived == "-b -c -a" || lived == "-c -b -a", "{lived}");
}
