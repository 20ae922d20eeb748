//! Start in order, unwind, stop in reverse.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::kit::{Debt, Diary, NEVER, Reader, Tell, patient, start};
use crate::{ChildSpec, Exit, Slot, State};

#[tokio::test]
async fn a_child_that_does_not_start_unwinds_those_before_it() {
    let diary = Diary::default();
    let [a, b, c, d] = diary.probes(["a", "b", "c", "d"]);
    c.bad_starts.store(1, SeqCst);
    let inner = patient("inner").child(b.spec()).child(c.spec());
    let spec = patient("root").child(a.spec()).child(ChildSpec::supervisor(inner)).child(d.spec());
    let failed = crate::start(spec).await.unwrap_err();
    assert_eq!(failed.to_string(), "start root/inner/c");
    assert_eq!(failed.cause.to_string(), "a bad start");
    assert_eq!(diary.take(), "+a +b xc -b -a");
    assert!(!a.slot.is_filled());
}

#[tokio::test]
async fn a_constructor_that_panics_is_a_bad_start() {
    let spec = ChildSpec::worker("a", &Slot::vacant(), |_| -> (super::kit::Probe, ()) { panic!("no parts") });
    let failed = crate::start(patient("root").child(spec)).await.unwrap_err();
    assert_eq!(failed.cause.to_string(), "no parts");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_does_not_end_is_a_bad_start() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let stuck = ChildSpec::worker("stuck", &Slot::vacant(), |_| (Stuck, ())).start_within(NEVER / 2);
    let failed =
        crate::start(patient("root").child(a.spec()).child(stuck).child(b.spec())).await.unwrap_err();
    assert_eq!(failed.to_string(), "start root/stuck");
    assert_eq!(failed.cause.to_string(), "it did not start within 10s");
    assert_eq!(diary.take(), "+a -a");
}

struct Stuck;

impl ractor::Actor for Stuck {
    type Msg = ();
    type State = ();
    type Arguments = ();
    async fn pre_start(&self, _: ractor::ActorRef<()>, (): ()) -> Result<(), ractor::ActorProcessingErr> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_tree_stops_in_reverse_and_drains_what_it_can() {
    let diary = Diary::default();
    let [a, b, c, d] = diary.probes(["a", "b", "c", "d"]);
    let inner = patient("inner").child(b.spec()).child(c.spec().shutdown(Duration::from_secs(2)));
    let spec = patient("root").child(a.spec()).child(ChildSpec::supervisor(inner)).child(d.spec());
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    diary.take();

    // b has something left in its mailbox, and c will not let go.
    let go_on = b.hold().await;
    b.tell(Tell::Owe(Debt("rent", diary.clone())));
    go_on.notify_one();
    let _never = c.hold().await;

    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
    assert_eq!(diary.take().replace("paid rent ", ""), "-d -c -b -a");
    for (path, reason) in [
        ("root/d", "drained"),
        ("root/inner/c", "killed after 2s"),
        ("root/inner/b", "drained"),
        ("root/inner", "drained"),
        ("root/a", "drained"),
        ("root", "stopped: shutdown"),
    ] {
        assert_eq!(events.stopped(path).await, reason, "{path}");
    }
    assert_eq!(tree.snapshot().state, State::Stopped);
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped, "again is no harm");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_after_the_grace_is_killed() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let slow = b.spec().shutdown(Duration::from_hours(1));
    let tree = start(patient("root").child(a.spec()).child(slow)).await;
    diary.take();
    let _never = b.hold().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(tree.stop(Duration::from_secs(3)).await, Exit::Stopped);
    assert_eq!(begun.elapsed().as_secs(), 3);
    let mut gone: Vec<_> = diary.take().split(' ').map(str::to_owned).collect();
    gone.sort();
    assert_eq!(gone, ["-a", "-b"]);
    assert_eq!(tree.actor("b").unwrap().state, State::Stopped);
}

/// The one fault that a kill does not help against. It takes the 5 s that a killed actor
/// is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_never_awaits_is_left_behind() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let slot = Slot::vacant();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let blocked = ChildSpec::once("blocked", &slot, move |_| (Blocked(goes_on.into()), ()));
    let spec = patient("root").child(a.spec()).child(blocked.shutdown(Duration::from_millis(10)));
    let tree = start(spec).await;
    slot.cast(()).unwrap();
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
    assert_eq!(diary.take(), "+a -a", "the others are stopped all the same");
    go_on.send(()).unwrap();
}

struct Blocked(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl ractor::Actor for Blocked {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ractor::ActorRef<()>, (): ()) -> Result<(), ractor::ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<()>,
        (): (),
        (): &mut (),
    ) -> Result<(), ractor::ActorProcessingErr> {
        Ok(self.0.lock().unwrap().recv()?)
    }
}
