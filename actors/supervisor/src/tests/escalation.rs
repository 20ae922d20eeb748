//! When restarts do not help: supervisors give up, one after the other, up to the root.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::kit::{Diary, NEVER, Reader, Tell, patient, start};
use crate::{ChildSpec, Exit, State, SupervisorSpec, What};

const WINDOW: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_gave_up_is_restarted_by_its_own() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let inner = SupervisorSpec::new("inner").intensity(2, WINDOW).child(a.spec()).child(b.spec());
    let inner = ChildSpec::supervisor(inner).backoff(crate::Backoff::NONE);
    let tree = start(SupervisorSpec::new("root").intensity(1, WINDOW).child(inner)).await;
    let mut events = Reader::of(&tree);
    diary.take();
    for _ in 0..2 {
        a.tell(Tell::Err);
        events.started("root/inner/a").await;
    }
    assert_eq!(diary.take(), "-a +a -a +a");

    a.tell(Tell::Err);
    let gave_up = What::GaveUp { restarts: 2, within_ms: 60_000 };
    events.until("root/inner", |what| *what == gave_up).await;
    let text = events.failed("root/inner").await;
    assert_eq!(text, "gave up after 2 restarts within 60s; the last to fail was a: out of order");
    events.started("root/inner").await;
    assert_eq!(diary.take(), "-a -b +a +b");
    assert!(a.answers().await && b.answers().await);

    // The budget of the new one is fresh; that of the root is spent.
    for _ in 0..2 {
        a.tell(Tell::Err);
        events.started("root/inner/a").await;
    }
    a.tell(Tell::Err);
    let Exit::Exhausted { what } = tree.wait().await else { panic!("the root gave up") };
    assert!(
        what.starts_with("root: gave up after 1 restarts within 60s; the last to fail was inner: "),
        "{what}"
    );
    assert_eq!(tree.snapshot().state, State::Stopped);
    assert!(!a.slot.is_filled() && !b.slot.is_filled());
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_far_apart_exhaust_nothing() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(SupervisorSpec::new("root").intensity(1, WINDOW).child(a.spec())).await;
    let mut events = Reader::of(&tree);
    for _ in 0..5 {
        a.tell(Tell::Panic);
        events.started("root/a").await;
        tokio::time::sleep(WINDOW).await;
    }
    assert!(a.answers().await);
}

#[tokio::test]
async fn bad_starts_cost_budget() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let tree = start(SupervisorSpec::new("root").intensity(3, WINDOW).child(a.spec()).child(b.spec())).await;
    diary.take();
    b.bad_starts.store(u32::MAX, SeqCst);
    b.tell(Tell::Err);
    let Exit::Exhausted { what } = tree.wait().await else { panic!("the root gave up") };
    assert_eq!(diary.take(), "-b xb xb xb -a");
    assert!(what.ends_with("the last to fail was start root/b: a bad start"), "{what}");
}

#[tokio::test]
async fn a_root_that_is_killed_is_not_a_root_that_stopped() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec())).await;
    tree.kill("root").unwrap();
    assert_eq!(tree.wait().await, Exit::Exhausted { what: "root: killed".into() });
    assert_eq!(diary.take(), "+a -a");
    assert_eq!(tree.actor("a").unwrap().state, State::Stopped);
}

#[test]
fn restarts_without_end_keep_no_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let a = Diary::default().probe("a");
    let tree = runtime.block_on(start(patient("root").child(a.spec())));
    let mut events = Reader::of(&tree);
    a.bad_starts.store(u32::MAX, SeqCst);
    a.tell(Tell::Err);
    assert_eq!(runtime.block_on(events.failed("root/a")), "out of order");
    let began = Instant::now();
    runtime.shutdown_timeout(NEVER);
    assert!(began.elapsed() < NEVER, "the supervisor did not let go of its thread");
}
