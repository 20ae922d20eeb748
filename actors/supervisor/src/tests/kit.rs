//! A child that does as it is told, and a diary of what it lived through.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::{Notify, broadcast};
use tokio::time::timeout;

use crate::{Backoff, ChildSpec, Event, Slot, SupervisorSpec, Tree, What};

/// No wait in these tests is this long, unless what it waits for never comes.
pub(super) const NEVER: Duration = Duration::from_secs(20);

/// What happened to the probes, in order: `+a` started, `-a` gone with all it held.
#[derive(Clone, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<String>>>);

/// A child under test, and the way to it.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) id: &'static str,
    pub(super) slot: Slot<Tell>,
    pub(super) diary: Diary,
    /// How long it takes to let go of what it holds.
    pub(super) lets_go_in: Duration,
    /// How many of its next starts fail.
    pub(super) bad_starts: Arc<AtomicU32>,
}

/// What a probe can be told.
pub(super) enum Tell {
    Answer(RpcReplyPort<&'static str>),
    /// Asks itself, to see that it can.
    AnswerLater(RpcReplyPort<&'static str>),
    End,
    Err,
    Panic,
    /// Says that it holds, and does so until it is let go.
    Hold(Arc<Notify>, Arc<Notify>),
    /// Is merely dropped, handled or not.
    Owe(#[expect(dead_code, reason = "it is there to be dropped")] Debt),
}

/// Writes `paid NAME` into the diary when it is dropped.
pub(super) struct Debt(pub(super) &'static str, pub(super) Diary);

/// The probe's state: gone when the diary says `-a`.
pub(super) struct Held(&'static str, Diary, Duration);

// === impl Diary ===

impl Diary {
    pub(super) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// All that was written since the last time, on one line.
    pub(super) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }

    pub(super) fn probe(&self, id: &'static str) -> Probe {
        Probe {
            id,
            slot: Slot::vacant(),
            diary: self.clone(),
            lets_go_in: Duration::ZERO,
            bad_starts: Arc::default(),
        }
    }

    pub(super) fn probes<const N: usize>(&self, ids: [&'static str; N]) -> [Probe; N] {
        ids.map(|id| self.probe(id))
    }
}

// === impl Probe ===

impl Probe {
    /// Permanent, restarted without waiting.
    pub(super) fn spec(&self) -> ChildSpec {
        let probe = self.clone();
        ChildSpec::worker(self.id, &self.slot, move |_| (probe.clone(), ())).backoff(Backoff::NONE)
    }

    pub(super) fn tell(&self, message: Tell) {
        self.slot.cast(message).expect("the probe is there");
    }

    pub(super) async fn answers(&self) -> bool {
        self.slot.call(Tell::Answer, NEVER).await == Ok("yes")
    }

    /// Makes it hold, and returns when it does. It goes on when it is notified.
    pub(super) async fn hold(&self) -> Arc<Notify> {
        let (holds, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        self.tell(Tell::Hold(Arc::clone(&holds), Arc::clone(&go_on)));
        holds.notified().await;
        go_on
    }
}

impl Actor for Probe {
    type Msg = Tell;
    type State = Held;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Tell>, (): ()) -> Result<Held, ActorProcessingErr> {
        if self.bad_starts.load(SeqCst) > 0 {
            self.bad_starts.fetch_sub(1, SeqCst);
            self.diary.write(format!("x{}", self.id));
            return Err("a bad start".into());
        }
        self.diary.write(format!("+{}", self.id));
        Ok(Held(self.id, self.diary.clone(), self.lets_go_in))
    }

    async fn handle(
        &self,
        myself: ActorRef<Tell>,
        message: Tell,
        _: &mut Held,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Tell::Answer(reply) => reply.send("yes")?,
            Tell::AnswerLater(reply) => myself.cast(Tell::Answer(reply))?,
            Tell::End => myself.stop(None),
            Tell::Err => return Err("out of order".into()),
            Tell::Panic => panic!("out of its mind"),
            Tell::Hold(holds, go_on) => {
                holds.notify_one();
                go_on.notified().await;
            }
            Tell::Owe(_) => {}
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        std::thread::sleep(self.2);
        self.1.write(format!("-{}", self.0));
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.1.write(format!("paid {}", self.0));
    }
}

// === Trees ===

/// A supervisor that never gives up.
pub(super) fn patient(id: &'static str) -> SupervisorSpec {
    SupervisorSpec::new(id).intensity(u32::MAX, Duration::from_secs(1))
}

pub(super) async fn start(spec: SupervisorSpec) -> Tree {
    crate::start(spec).await.expect("the tree starts")
}

// === Events ===

/// Reads a tree's events in order.
pub(super) struct Reader(broadcast::Receiver<Arc<Event>>);

impl Reader {
    pub(super) fn of(tree: &Tree) -> Self {
        Self(tree.follow())
    }

    pub(super) async fn next(&mut self) -> Arc<Event> {
        timeout(NEVER, self.0.recv()).await.expect("an event comes").expect("we keep up")
    }

    /// Reads up to the first event of `path` that is `wanted`.
    pub(super) async fn until(&mut self, path: &str, wanted: impl Fn(&What) -> bool) -> Arc<Event> {
        loop {
            let event = self.next().await;
            if &*event.path == path && wanted(&event.what) {
                return event;
            }
        }
    }

    pub(super) async fn started(&mut self, path: &str) {
        self.until(path, |what| matches!(what, What::Started { .. })).await;
    }

    pub(super) async fn stopped(&mut self, path: &str) -> String {
        match &self.until(path, |what| matches!(what, What::Stopped { .. })).await.what {
            What::Stopped { reason } => reason.clone(),
            _ => unreachable!(),
        }
    }

    pub(super) async fn failed(&mut self, path: &str) -> String {
        match &self.until(path, |what| matches!(what, What::Failed { .. })).await.what {
            What::Failed { text } => text.clone(),
            _ => unreachable!(),
        }
    }

    /// The waits before the next `count` restarts of `path`.
    pub(super) async fn waits_ms(&mut self, path: &str, count: usize) -> Vec<u64> {
        let mut waits = Vec::new();
        while waits.len() < count {
            let event = self.until(path, |what| matches!(what, What::Restarting { .. })).await;
            if let What::Restarting { after_ms } = event.what {
                waits.push(after_ms);
            }
        }
        waits
    }
}
