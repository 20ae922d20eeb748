//! The worker's place in the supervision tree. The actor owns the thread and does nothing else: requests wait in the
//! handle, so none is lost when the actor is started anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot};
use tokio::sync::oneshot;

use crate::embedder::Embedder;
use crate::worker::{Shared, State};

/// How long a pass that is under way may take at the end.
const DRAIN: Duration = Duration::from_secs(2);

struct Worker;

/// The thread has ended, which it does only when it is told to.
struct Ended;

/// Ends the thread when it is dropped.
struct Thread {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    ended: Option<oneshot::Receiver<()>>,
}

/// The worker as a child of a supervisor.
pub fn child(id: &str, embedder: &Embedder) -> ChildSpec {
    let (shared, seen) = (Arc::clone(&embedder.shared), embedder.clone());
    ChildSpec::worker(id, &Slot::vacant(), move |_| (Worker, Arc::clone(&shared)))
        .shutdown(DRAIN + Duration::from_secs(1))
        .note(move || Some(note(&seen)))
}

/// Without a look at the disk, as a snapshot must not wait for it.
fn note(embedder: &Embedder) -> String {
    let inner = embedder.shared.lock();
    let waiting = inner.queue.len();
    let crashes = inner.crashes;
    let state = match &inner.state {
        State::Idle => "not loaded".to_owned(),
        State::Loading => "loading".to_owned(),
        State::Loaded(facts) => format!("{} by {}", facts.model, facts.runtime),
        State::Failed(error) => error.to_string(),
    };
    format!("{state}; {waiting} waiting, {crashes} crashes")
}

impl Actor for Worker {
    type Msg = Ended;
    type State = Thread;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        shared: Arc<Shared>,
    ) -> Result<Thread, ActorProcessingErr> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ending, ended) = oneshot::channel();
        let (worker, told) = (Arc::clone(&shared), Arc::clone(&stop));
        thread::Builder::new().name("embedding".into()).spawn(move || {
            // Dropped by a panic too, which the panic hook has logged.
            let _ending = Ending { _ended: ending, myself };
            worker.run(&told);
        })?;
        Ok(Thread { shared, stop, ended: Some(ended) })
    }

    async fn handle(
        &self,
        _: ActorRef<Ended>,
        Ended: Ended,
        _: &mut Thread,
    ) -> Result<(), ActorProcessingErr> {
        // A mistake of ours: the thread is started anew.
        Err("the embedding thread has ended".into())
    }

    async fn post_stop(&self, _: ActorRef<Ended>, thread: &mut Thread) -> Result<(), ActorProcessingErr> {
        thread.tell();
        if let Some(ended) = thread.ended.take() {
            let _ = tokio::time::timeout(DRAIN, ended).await;
        }
        Ok(())
    }
}

/// Tells of the thread's end by being dropped.
struct Ending {
    _ended: oneshot::Sender<()>,
    myself: ActorRef<Ended>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.myself.cast(Ended);
    }
}

impl Thread {
    fn tell(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.shared.wake();
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.tell();
    }
}
