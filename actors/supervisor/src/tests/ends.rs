//! Which ends are the end.

use super::kit::{Diary, Reader, Tell, patient, start};
use crate::Restart::{Permanent, Temporary, Transient};
use crate::{Restart, State, What};

#[derive(Clone, Copy, Debug)]
enum End {
    Normal,
    Err,
    Panic,
    Kill,
}

/// A child of this type ends in this way: what is told of it, and whether it is back.
async fn check(restart: Restart, end: End, told: &str, back: bool) {
    let diary = Diary::default();
    let a = diary.probe("a");
    let spec = patient("root").child(a.spec().restart(restart));
    let handle = spec.handle();
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    match end {
        End::Normal => a.tell(Tell::End),
        End::Err => a.tell(Tell::Err),
        End::Panic => a.tell(Tell::Panic),
        End::Kill => tree.kill("a").unwrap(),
    }
    let text = match &events.next().await.what {
        What::Failed { text } => text.clone(),
        What::Stopped { reason } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text, told, "{restart:?} {end:?}");

    // The supervisor answers when it is done with the end.
    let children = handle.children().await.unwrap();
    let expected = if back { State::Running } else { State::Stopped };
    assert_eq!(children[0].state, expected, "{restart:?} {end:?}");
    assert_eq!(a.slot.is_filled(), back, "{restart:?} {end:?}");
    assert_eq!(children[0].restarts, u32::from(back));
    let failure = children[0].last_failure.as_ref().map(|failure| failure.text.as_str());
    assert_eq!(failure, (!matches!(end, End::Normal)).then_some(told));
}

#[tokio::test]
async fn permanent_children_always_come_back() {
    check(Permanent, End::Normal, "stopped", true).await;
    check(Permanent, End::Err, "out of order", true).await;
    check(Permanent, End::Panic, "out of its mind", true).await;
    check(Permanent, End::Kill, "killed", true).await;
}

#[tokio::test]
async fn transient_children_come_back_after_a_failure() {
    check(Transient, End::Normal, "stopped", false).await;
    check(Transient, End::Err, "out of order", true).await;
    check(Transient, End::Panic, "out of its mind", true).await;
    check(Transient, End::Kill, "killed", true).await;
}

#[tokio::test]
async fn temporary_children_never_come_back() {
    check(Temporary, End::Normal, "stopped", false).await;
    check(Temporary, End::Err, "out of order", false).await;
    check(Temporary, End::Panic, "out of its mind", false).await;
    check(Temporary, End::Kill, "killed", false).await;
}

#[tokio::test]
async fn a_significant_child_takes_its_supervisor_along() {
    use crate::{AutoShutdown, ChildSpec, Exit};
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let significant = |spec: ChildSpec| spec.restart(Transient).significant();
    let spec = patient("root").auto_shutdown(AutoShutdown::AllSignificant);
    let spec = spec.child(a.spec()).child(significant(b.spec())).child(significant(c.spec()));
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    diary.take();
    b.tell(Tell::End);
    events.stopped("root/b").await;
    assert!(c.answers().await);
    c.tell(Tell::End);
    assert_eq!(tree.wait().await, Exit::Stopped);
    assert_eq!(diary.take(), "-b -c -a");
}
