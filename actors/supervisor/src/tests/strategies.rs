//! Who goes down and up with whom, and in which order.

use super::kit::{Diary, Reader, Tell, patient, start};
use crate::Strategy::{OneForAll, OneForOne, RestForOne};
use crate::{Restart, Strategy};

/// Of a, b, c and d, b fails: what happens until `last` has started again.
async fn check(strategy: Strategy, last: &str, expected: &str) {
    let diary = Diary::default();
    let [a, b, c, d] = diary.probes(["a", "b", "c", "d"]);
    let spec = patient("root").strategy(strategy);
    let tree = start(spec.child(a.spec()).child(b.spec()).child(c.spec()).child(d.spec())).await;
    assert_eq!(diary.take(), "+a +b +c +d");

    let mut events = Reader::of(&tree);
    b.tell(Tell::Err);
    events.started(&format!("root/{last}")).await;
    assert_eq!(diary.take(), expected, "{strategy:?}");
    for probe in [a, b, c, d] {
        assert!(probe.answers().await, "{} after {strategy:?}", probe.id);
    }
}

#[tokio::test]
async fn one_for_one_restarts_the_one() {
    check(OneForOne, "b", "-b +b").await;
}

#[tokio::test]
async fn one_for_all_restarts_all() {
    check(OneForAll, "d", "-b -d -c -a +a +b +c +d").await;
}

#[tokio::test]
async fn rest_for_one_restarts_what_came_after_it() {
    check(RestForOne, "d", "-b -d -c +b +c +d").await;
}

#[tokio::test]
async fn temporary_siblings_go_down_and_stay_down() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let temporary = b.spec().restart(Restart::Temporary);
    let spec = patient("root").strategy(OneForAll).child(a.spec()).child(temporary).child(c.spec());
    let tree = start(spec).await;
    diary.take();
    let mut events = Reader::of(&tree);
    a.tell(Tell::Err);
    events.started("root/c").await;
    assert_eq!(diary.take(), "-a -c -b +a +c");
    assert!(!b.slot.is_filled());
}

#[tokio::test]
async fn a_failure_while_the_group_starts_goes_round_again() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let spec = patient("root").strategy(OneForAll);
    let tree = start(spec.child(a.spec()).child(b.spec()).child(c.spec())).await;
    diary.take();
    let mut events = Reader::of(&tree);
    b.bad_starts.store(2, std::sync::atomic::Ordering::SeqCst);
    c.tell(Tell::Err);
    events.started("root/c").await;
    assert_eq!(diary.take(), "-c -b -a +a xb -a +a xb -a +a +b +c");
}
