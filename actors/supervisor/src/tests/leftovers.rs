//! Nothing of the old one is left when the new one starts: its port, its file and its
//! lock are free. ractor reports ends before that is so, in more than one way. The
//! probes here are slow to let go, which makes a race that is lost now and then one
//! that is lost always.

use std::time::Duration;

use super::kit::{Diary, Probe, Reader, Tell, patient, start};
use crate::Strategy::OneForAll;
use crate::{Backoff, ChildSpec, Tasks};

const SLOWLY: Duration = Duration::from_millis(30);

fn slow(diary: &Diary, id: &'static str) -> Probe {
    Probe { lets_go_in: SLOWLY, ..diary.probe(id) }
}

/// tokio runs whom a task wakes after that task, on the same thread, which hides this
/// race; so the supervisor is kept awake on the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_child_that_failed() {
    let diary = Diary::default();
    let a = slow(&diary, "a");
    let spec = patient("root").child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    let awake = Tasks::named("keeps the supervisor awake");
    awake.spawn(async move { while handle.children().await.is_ok() {} });
    for end in [|| Tell::Err, || Tell::Panic, || Tell::End] {
        for _ in 0..5 {
            diary.take();
            a.tell(end());
            events.started("root/a").await;
            assert_eq!(diary.take(), "-a +a");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_below_a_supervisor_that_was_killed() {
    let diary = Diary::default();
    let a = slow(&diary, "a");
    let inner = ChildSpec::supervisor(patient("inner").child(a.spec())).backoff(Backoff::NONE);
    let tree = start(patient("root").child(inner)).await;
    let mut events = Reader::of(&tree);
    tree.kill("inner").unwrap();
    events.started("root/inner").await;
    assert_eq!(diary.take(), "+a -a +a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_below_a_supervisor_that_did_not_drain() {
    let diary = Diary::default();
    let a = slow(&diary, "a");
    let inner = ChildSpec::supervisor(patient("inner").child(a.spec())).shutdown(Duration::ZERO);
    let tree = start(patient("root").child(inner)).await;
    let _never = a.hold().await;
    tree.restart("inner").await.unwrap();
    assert_eq!(diary.take(), "+a -a +a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_below_a_supervisor_that_was_killed_as_it_was_to_stop() {
    let diary = Diary::default();
    let [a, b] = [diary.probe("a"), slow(&diary, "b")];
    let inner = ChildSpec::supervisor(patient("inner").child(b.spec()));
    let tree = start(patient("root").strategy(OneForAll).child(inner).child(a.spec())).await;
    let mut events = Reader::of(&tree);
    let go_on = a.hold().await;
    a.tell(Tell::Err);
    go_on.notify_one();
    tree.kill("inner").unwrap();
    events.started("root/a").await;
    let lived = diary.take();
    assert!(lived.contains("-b +b"), "{lived}");
}

/// b has ended, and the news of it lies in the supervisor's mailbox, when a's failure
/// has all of them restarted.
#[tokio::test]
async fn of_a_sibling_that_ended_at_the_same_time() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let tree = start(patient("root").strategy(OneForAll).child(a.spec()).child(b.spec())).await;
    let mut events = Reader::of(&tree);
    a.tell(Tell::Err);
    b.tell(Tell::End);
    events.started("root/b").await;
    assert_eq!(diary.take(), "+a +b -a -b +a +b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_any_of_three_hundred() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec())).await;
    let mut events = Reader::of(&tree);
    for round in 0..300 {
        match round % 3 {
            0 => a.tell(Tell::Err),
            1 => a.tell(Tell::Panic),
            _ => tree.kill("a").unwrap(),
        }
        events.started("root/a").await;
    }
    assert_eq!(diary.take(), format!("+a{}", " -a +a".repeat(300)));
}
