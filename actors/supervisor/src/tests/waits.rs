//! Back-off, with real actors and a paused clock.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::time::Instant;

use super::kit::{Diary, Reader, Tell, patient, start};
use crate::Strategy::RestForOne;
use crate::{Backoff, State, What};

const EXACT: Backoff = Backoff {
    immediate: 1,
    first: Duration::from_secs(1),
    max: Duration::from_secs(10),
    jitter: 0.0,
    reset_after: Duration::from_mins(1),
};

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_backs_off() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec().backoff(EXACT))).await;
    let mut events = Reader::of(&tree);
    let begun = Instant::now();
    a.bad_starts.store(6, SeqCst);
    a.tell(Tell::Err);
    assert_eq!(events.waits_ms("root/a", 7).await, [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    events.started("root/a").await;
    assert_eq!(begun.elapsed().as_secs(), 35);
    assert_eq!(tree.actor("a").unwrap().restarts, 1, "six of the seven did not come up");

    // It held out for a minute: the next failure is a first one.
    tokio::time::sleep(Duration::from_mins(1)).await;
    a.tell(Tell::Err);
    assert_eq!(events.waits_ms("root/a", 1).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_keeps_nobody_waiting() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let slow = Backoff { immediate: 0, ..EXACT };
    let spec = patient("root").dynamic(1).child(a.spec().backoff(slow)).child(b.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    a.tell(Tell::Err);
    events.waits_ms("root/a", 1).await;

    let begun = Instant::now();
    b.tell(Tell::Panic);
    events.started("root/b").await;
    handle.start_child(c.spec()).await.unwrap();
    assert!(b.answers().await && c.answers().await);
    assert_eq!(tree.actor("a").unwrap().state, State::Restarting);
    assert!(begun.elapsed().is_zero(), "no time has passed");

    events.started("root/a").await;
    assert_eq!(begun.elapsed().as_secs(), 1);
}

/// b waits and c with it; then a, on which both build, fails: one wait for all three,
/// and the timer of the first wait wakes nobody.
#[tokio::test(start_paused = true)]
async fn a_later_failure_takes_over_those_that_wait() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let after = |secs| Backoff { immediate: 0, first: Duration::from_secs(secs), ..EXACT };
    let spec = patient("root").strategy(RestForOne);
    let spec = spec.child(a.spec().backoff(after(3))).child(b.spec().backoff(after(2))).child(c.spec());
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    diary.take();
    b.tell(Tell::Err);
    assert_eq!(events.waits_ms("root/b", 1).await, [2_000]);
    let begun = Instant::now();
    a.tell(Tell::Err);
    assert_eq!(events.waits_ms("root/a", 1).await, [3_000]);
    events.started("root/c").await;
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(diary.take(), "-b -c -a +a +b +c");
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_child_waits_too() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let tree = start(spec).await;
    handle.start_child(a.spec().backoff(Backoff { immediate: 0, ..EXACT })).await.unwrap();
    let mut events = Reader::of(&tree);
    a.tell(Tell::Err);
    assert_eq!(events.waits_ms("root/a", 1).await, [1_000]);
    assert_eq!(events.next().await.what, What::Started { restarts: 1 });
    assert!(a.answers().await);
}
