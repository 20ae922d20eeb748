//! The thread that owns the model: takes requests in order of priority, loads the model for the first, and unloads it
//! when there has been none for a while. What the model does wrong ends the model, never the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subprocess::panic_text;

use crate::engine::{Embed, Facts, Load};
use crate::error::EmbedError;
use crate::job::Job;
use crate::queue::Queue;

/// A model that ended while it worked may end again at once: loading costs a second of a core, so each in a row waits
/// twice as long, from the first to the last of these.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How the model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not loaded: nothing asked for it, or not for a while.
    Idle,
    /// Being loaded.
    Loading,
    /// Loaded.
    Loaded(Facts),
    /// It could not be loaded, or it ended; the next request tries anew.
    Failed(EmbedError),
}

/// What the handle and the thread share.
pub(crate) struct Shared {
    pub(crate) load: Box<dyn Load>,
    idle: Duration,
    inner: Mutex<Inner>,
    wake: Condvar,
}

/// Everything that changes.
pub(crate) struct Inner {
    pub(crate) queue: Queue<Job>,
    pub(crate) state: State,
    /// How often the model was loaded, and how often it ended by itself.
    pub(crate) loads: u64,
    pub(crate) crashes: u64,
}

/// What the thread is to do.
enum Next {
    Work(Job),
    Unload,
    Stop,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(load: Box<dyn Load>, idle: Duration, waiting_max: usize) -> Self {
        let inner = Inner { queue: Queue::new(waiting_max), state: State::Idle, loads: 0, crashes: 0 };
        Self { load, idle, inner: Mutex::new(inner), wake: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), EmbedError> {
        let pushed = self.lock().queue.push(job.priority, job, Job::is_wanted);
        self.wake.notify_all();
        pushed.map_err(|waiting| EmbedError::Busy { waiting })
    }

    pub(crate) fn wake(&self) {
        // Under the lock, or a thread that has just looked at what it is told would sleep through it.
        let _inner = self.lock();
        self.wake.notify_all();
    }

    /// Waits for work, for so long that the model may go, or to be told to stop. No work before `not_before`.
    fn next(&self, is_loaded: bool, not_before: Instant, stop: &AtomicBool) -> Next {
        let unload_at = Instant::now() + self.idle;
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            if stop.load(Ordering::Relaxed) {
                return Next::Stop;
            }
            let until = if now < not_before {
                Some(not_before)
            } else if let Some(job) = inner.queue.pop() {
                return Next::Work(job);
            } else if is_loaded && now >= unload_at {
                return Next::Unload;
            } else {
                is_loaded.then_some(unload_at)
            };
            inner = match until {
                Some(until) => {
                    let waited = self.wake.wait_timeout(inner, until.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn be(&self, state: State) {
        self.lock().state = state;
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(self: &Arc<Self>, stop: &AtomicBool) {
        let mut model: Option<Box<dyn Embed>> = None;
        let (mut pause, mut not_before) = (PAUSE, Instant::now());
        loop {
            let job = match self.next(model.is_some(), not_before, stop) {
                Next::Work(job) => job,
                Next::Unload => {
                    model = None;
                    self.be(State::Idle);
                    tracing::info!("the embedding model is unloaded: nothing asked for it");
                    continue;
                }
                Next::Stop => break,
            };
            if !job.is_wanted() {
                job.finish(Err(EmbedError::Deadline));
                continue;
            }
            if model.is_none() {
                match self.loaded() {
                    Ok(loaded) => model = Some(loaded),
                    Err(error) => {
                        if error.ends_the_engine() {
                            (not_before, pause) = (Instant::now() + pause, (pause * 2).min(PAUSE_MAX));
                        }
                        job.finish(Err(error));
                        continue;
                    }
                }
            }
            let Some(engine) = model.as_deref_mut() else { continue };
            match self.pass(job, engine) {
                Ok(()) => pause = PAUSE,
                Err(error) if error.ends_the_engine() => {
                    model = None;
                    self.lock().crashes += 1;
                    tracing::error!(%error, "the embedding model is loaded anew for the next request");
                    self.be(State::Failed(error));
                    (not_before, pause) = (Instant::now() + pause, (pause * 2).min(PAUSE_MAX));
                }
                Err(_) => {}
            }
        }
        drop(model);
        self.be(State::Idle);
    }

    /// Loads the model, and says so.
    fn loaded(&self) -> Result<Box<dyn Embed>, EmbedError> {
        self.be(State::Loading);
        let began = Instant::now();
        let loaded = catch_unwind(AssertUnwindSafe(|| self.load.load()));
        match loaded.unwrap_or_else(|panic| Err(EmbedError::crashed(panic_text(panic.as_ref())))) {
            Ok(model) => {
                let facts = model.facts().clone();
                let (loaded_ms, runtime) = (began.elapsed().as_millis(), &facts.runtime);
                tracing::info!(model = facts.model, loaded_ms, runtime, "the embedding model is loaded");
                let mut inner = self.lock();
                inner.loads += 1;
                inner.state = State::Loaded(facts);
                Ok(model)
            }
            Err(error) => {
                tracing::warn!(%error, "the embedding model is not loaded");
                self.be(State::Failed(error.clone()));
                Err(error)
            }
        }
    }

    /// One pass of a job; what is left of it goes back into the queue, behind whatever is more urgent by now.
    fn pass(&self, mut job: Job, model: &mut dyn Embed) -> Result<(), EmbedError> {
        let passed = catch_unwind(AssertUnwindSafe(|| job.pass(model)));
        match passed.unwrap_or_else(|panic| Err(EmbedError::crashed(panic_text(panic.as_ref())))) {
            Ok(true) => job.finish(Ok(())),
            Ok(false) => self.lock().queue.put_back(job.priority, job),
            Err(error) => {
                job.finish(Err(error.clone()));
                return Err(error);
            }
        }
        Ok(())
    }
}
