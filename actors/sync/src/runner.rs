//! The actor that runs jobs: a few at a time, the rest in their order. Of several processes on one state folder the one
//! that holds the lock runs them; what another one had under way when it ended is interrupted, and stays so.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::Error;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use supervisor::{ChildContext, ChildSpec, Slot, Tasks};
use tokio::sync::{Semaphore, watch};

use crate::attempt::attempt;
use crate::job::{Outcome, State as JobState};
use crate::progress::Progress;
use crate::refusal;
use crate::service::Sync;

/// To open a lock and write a few rows.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Jobs that wait or run; more than a person keeps in mind, fewer than a script gone wrong makes.
const JOBS_MAX: usize = 1000;

/// After how many jobs it is looked which of the old ones can be forgotten.
const FORGETS_EVERY: u64 = 64;

/// How long jobs may take to stop when the process does: rclone ends with it anyway.
const DRAIN: Duration = Duration::from_secs(2);

/// The handle.
#[derive(Clone)]
pub(crate) struct Runner {
    lock: PathBuf,
    parallel: usize,
    slot: Slot<Message>,
    live: Arc<Mutex<HashMap<String, Arc<Live>>>>,
}

/// A job that waits or runs.
pub(crate) struct Live {
    /// How it is.
    pub(crate) now: watch::Sender<(JobState, Progress)>,
    /// Whether it is to stop, and why.
    pub(crate) stop: watch::Sender<Option<Stop>>,
    /// The process that works on it; 0 for none.
    pub(crate) pid: AtomicU32,
}

/// Why a job is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody asked.
    Asked,
    /// The process ends.
    Shutdown,
}

impl Stop {
    /// What a job is that stopped because of this.
    pub(crate) fn outcome(self, message: &str) -> Outcome {
        match self {
            Self::Asked => Outcome::new(JobState::Stopped, message),
            Self::Shutdown => Outcome::new(
                JobState::Interrupted,
                format!("{message}: llmbasedos was shut down; mcp.sync.resume goes on"),
            ),
        }
    }
}

pub(crate) enum Message {
    /// Makes sure that this process may run jobs.
    Ready(RpcReplyPort<Result<(), Error>>),
    Begin(String),
}

struct Actual;

pub(crate) struct State {
    service: Sync,
    runner: Runner,
    tasks: Tasks,
    turns: Arc<Semaphore>,
    held: Option<File>,
    begun: u64,
}

impl Runner {
    pub(crate) fn new(lock: PathBuf, parallel: usize) -> Self {
        Self { lock, parallel, slot: Slot::vacant(), live: Arc::default() }
    }

    /// The actor as a child of a supervisor.
    pub(crate) fn child(&self, id: &str, service: Sync) -> ChildSpec {
        ChildSpec::worker(id, &self.slot, move |context: &ChildContext| {
            (Actual, (service.clone(), context.tasks()))
        })
        .shutdown(DRAIN + Duration::from_secs(1))
    }

    /// Makes sure that this process is the one that runs jobs, and that there is room for one more.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        if self.count() >= JOBS_MAX {
            return Err(refusal::no_such(
                "too_many",
                format!("{JOBS_MAX} sync jobs wait or run already: wait for some, or stop them."),
            ));
        }
        let asked = self.slot.call(Message::Ready, ANSWER_WITHIN).await;
        asked.unwrap_or_else(|_| Err(Error::unavailable("sync-jobs")))
    }

    /// Has a job run, which is in the journal.
    pub(crate) fn begin(&self, id: &str) -> Result<(), Error> {
        let live = Live {
            now: watch::Sender::new((JobState::Queued, Progress::default())),
            stop: watch::Sender::new(None),
            pid: AtomicU32::new(0),
        };
        self.live_jobs().insert(id.to_owned(), Arc::new(live));
        self.slot.cast(Message::Begin(id.to_owned())).map_err(|_| {
            self.live_jobs().remove(id);
            Error::unavailable("sync-jobs")
        })
    }

    /// A job that waits or runs.
    pub(crate) fn live(&self, id: &str) -> Option<Arc<Live>> {
        self.live_jobs().get(id).cloned()
    }

    /// How many wait or run.
    pub(crate) fn count(&self) -> usize {
        self.live_jobs().len()
    }

    fn live_jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actor for Actual {
    type Msg = Message;
    type State = State;
    type Arguments = (Sync, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (service, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let runner = service.runner().clone();
        // Those of an actor before this one went with it.
        runner.live_jobs().clear();
        let turns = Arc::new(Semaphore::new(runner.parallel));
        let mut state = State { service, runner, tasks, turns, held: None, begun: 0 };
        // Another process may have it; then it is asked for again when there is a job.
        if let Err(error) = state.take_lock().await {
            tracing::info!(%error, "sync jobs are another process's");
        }
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Ready(port) => {
                let _ = port.send(state.take_lock().await);
            }
            Message::Begin(id) => state.begin(id),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        for live in state.runner.live_jobs().values() {
            live.stop.send_replace(Some(Stop::Shutdown));
        }
        // What does not end in time is interrupted at the next start.
        state.tasks.join_all(DRAIN).await;
        Ok(())
    }
}

impl State {
    /// The lock, and what to do once one has it: nothing of before is under way any more.
    async fn take_lock(&mut self) -> Result<(), Error> {
        if self.held.is_some() {
            return Ok(());
        }
        let broken = |error: std::io::Error| {
            refusal::rclone("no_home", "The lock of the sync jobs in state_dir cannot be used.")
                .with_detail(error)
        };
        let Some(file) = service::sole(&self.runner.lock).map_err(broken)? else {
            return Err(refusal::no_such(
                "elsewhere",
                "Another process of this instance runs the sync jobs: call that one, or end it.",
            ));
        };
        let interrupted = self.service.journal().interrupt_all().await?;
        if interrupted > 0 {
            tracing::warn!(
                jobs = interrupted,
                "sync jobs were interrupted; mcp.sync.resume goes on with them"
            );
        }
        self.forget();
        self.held = Some(file);
        Ok(())
    }

    /// Forgets what ended long ago, beside everything else.
    fn forget(&self) {
        let service = self.service.clone();
        self.tasks.spawn(async move {
            let settings = service.settings();
            let forgotten = service.journal().forget(settings.history_days, settings.history_jobs).await;
            if let Err(error) = forgotten {
                tracing::warn!(%error, detail = error.detail.as_deref(), "old sync jobs cannot be forgotten");
            }
        });
    }

    fn begin(&mut self, id: String) {
        self.begun += 1;
        if self.begun.is_multiple_of(FORGETS_EVERY) {
            self.forget();
        }
        let Some(live) = self.runner.live(&id) else { return };
        let (service, turns) = (self.service.clone(), Arc::clone(&self.turns));
        let mut listed = Listed { service: self.service.clone(), id: id.clone(), settled: false };
        self.tasks.spawn(async move {
            let listed = &mut listed;
            let mut stop = live.stop.subscribe();
            let turn = tokio::select! {
                turn = turns.acquire() => turn,
                why = stopped(&mut stop) => {
                    let outcome = why.outcome("stopped before it was begun");
                    settle(&service, &id, &live, outcome, Progress::default()).await;
                    listed.settled = true;
                    return;
                }
            };
            let (outcome, progress) = match service.journal().job(&id).await {
                Ok(Some(job)) => attempt(&service, &job, &live).await,
                Ok(None) => return,
                Err(error) => (Outcome::new(JobState::Failed, error.message), Progress::default()),
            };
            drop(turn);
            settle(&service, &id, &live, outcome, progress).await;
            listed.settled = true;
        });
    }
}

/// Commits what a job came to, and tells those who follow it.
async fn settle(service: &Sync, id: &str, live: &Live, outcome: Outcome, progress: Progress) {
    let (state, progress) = (outcome.state, progress.at_rest());
    tracing::info!(job = id, state = state.word(), "sync job ended");
    if let Err(error) = service.journal().ended(id, outcome, progress.clone()).await {
        // At the next start it counts as interrupted.
        tracing::error!(job = id, %error, detail = error.detail.as_deref(), "the end of a sync job cannot be written down");
    }
    live.now.send_replace((state, progress));
}

/// Resolves when the job is to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stop.wait_for(Option::is_some).await {
        Ok(why) => why.unwrap_or(Stop::Shutdown),
        // Whoever could say so is gone.
        Err(_) => Stop::Shutdown,
    }
}

/// Takes a job off the list of those that wait or run, however its task ends.
struct Listed {
    service: Sync,
    id: String,
    /// Whether its end is written down.
    settled: bool,
}

impl Drop for Listed {
    fn drop(&mut self) {
        if !self.settled {
            self.service.journal().lost(&self.id);
        }
        self.service.runner().live_jobs().remove(&self.id);
    }
}

impl Live {
    pub(crate) fn works_in(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// The process that works on it.
    pub(crate) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }
}
