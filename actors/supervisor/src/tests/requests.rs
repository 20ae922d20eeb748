//! What people ask of a supervisor.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::kit::{Diary, NEVER, Reader, Tell, patient, start};
use crate::{Backoff, ChildError, ChildSpec, Restart, State, SupervisorSpec};

#[tokio::test]
async fn a_restart_on_request_costs_no_budget() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let spec = SupervisorSpec::new("root").intensity(0, Duration::from_secs(1));
    let tree = start(spec.child(a.spec()).child(b.spec())).await;
    diary.take();
    tree.restart("a").await.unwrap();
    tree.restart("root/a").await.unwrap();
    assert_eq!(diary.take(), "-a +a -a +a");
    assert!(a.answers().await);
    assert_eq!(tree.actor("a").unwrap().restarts, 2);
    assert!(matches!(tree.restart("nobody").await, Err(ChildError::NoSuchChild(_))));
    assert!(matches!(tree.restart("root").await, Err(ChildError::NoSuchChild(_))), "nobody is above it");
}

#[tokio::test]
async fn a_stopped_child_stays_stopped_until_it_is_asked_for() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let spec = patient("root").child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    handle.stop_child("a").await.unwrap();
    handle.stop_child("a").await.unwrap();
    assert_eq!(diary.take(), "+a -a");
    assert_eq!(tree.actor("a").unwrap().state, State::Stopped);
    handle.restart_child("a").await.unwrap();
    assert!(a.answers().await);
    assert!(matches!(handle.stop_child("b").await, Err(ChildError::NoSuchChild(_))));
}

#[tokio::test(start_paused = true)]
async fn one_that_drains_slowly_keeps_nobody_waiting() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let tree = start(patient("root").child(a.spec().shutdown(NEVER / 2)).child(b.spec())).await;
    let mut events = Reader::of(&tree);
    let _never = a.hold().await;
    let begun = tokio::time::Instant::now();
    let restart = async {
        tree.restart("a").await.unwrap();
        begun.elapsed()
    };
    let meanwhile = async {
        while tree.actor("a").unwrap().state != State::Stopping {
            tokio::task::yield_now().await;
        }
        b.tell(Tell::Panic);
        events.started("root/b").await;
        begun.elapsed()
    };
    let (restarted_after, meanwhile_after) = tokio::join!(restart, meanwhile);
    assert_eq!((restarted_after, meanwhile_after), (NEVER / 2, Duration::ZERO));
    assert!(a.answers().await);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_waits_is_started_at_once_on_request() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let backoff = Backoff { immediate: 0, first: NEVER / 2, ..Backoff::default() };
    let tree = start(patient("root").child(a.spec().backoff(backoff))).await;
    let mut events = Reader::of(&tree);
    a.tell(Tell::Err);
    events.waits_ms("root/a", 1).await;
    tree.restart("a").await.unwrap();
    assert!(a.answers().await);
    tokio::time::sleep(NEVER).await;
    assert_eq!(diary.take(), "+a -a +a", "the timer finds nothing to do");
}

#[tokio::test]
async fn a_restart_on_request_that_fails_is_told_and_tried_again() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec())).await;
    let mut events = Reader::of(&tree);
    a.bad_starts.store(2, SeqCst);
    let error = tree.restart("a").await.unwrap_err();
    assert_eq!(error.to_string(), "start root/a");
    events.started("root/a").await;
    assert_eq!(diary.take(), "+a -a xa xa +a");
}

#[tokio::test]
async fn a_temporary_child_that_does_not_come_back_on_request_is_let_go() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let spec = SupervisorSpec::new("root").intensity(0, Duration::from_secs(1)).dynamic(1);
    let spec = spec.child(a.spec().restart(Restart::Temporary));
    let handle = spec.handle();
    let _tree = start(spec).await;
    a.bad_starts.store(1, SeqCst);
    assert!(matches!(handle.restart_child("a").await, Err(ChildError::NotStarted(_))));
    handle.restart_child("a").await.unwrap();
    assert!(a.answers().await);

    let (slot, actor) = (b.slot.clone(), b.clone());
    handle.start_child(ChildSpec::once("b", &slot, move |_| (actor, ()))).await.unwrap();
    let error = handle.restart_child("b").await.unwrap_err();
    assert!(matches!(error, ChildError::NotStarted(_)), "there is no second connection to have");
    assert_eq!(handle.children().await.unwrap().len(), 1);
}
