//! The handle that others hold: async methods, each with a priority and a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout_at;

use crate::engine::{Load, Role};
use crate::error::EmbedError;
use crate::job::{Answer, Job};
use crate::queue::Priority;
use crate::worker::{Shared, State};

/// Requests that wait, per priority: more than an indexer has under way, and few enough that the last of them is
/// worth waiting for.
const WAITING_MAX: usize = 64;

/// Texts of one request: the chunks of a file of some 300 pages. With a kilobyte each it bounds what waits to 64 MB.
pub const TEXTS_MAX: usize = 1_024;

/// A cheap, cloneable handle to the one model. What is asked waits for the worker (`child`), and for the model, which
/// is loaded when the first text comes.
#[derive(Clone)]
pub struct Embedder {
    pub(crate) shared: Arc<Shared>,
}

/// How everything is, for `doctor` and the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the model is.
    pub state: State,
    /// Requests that wait.
    pub waiting: usize,
    /// How often the model was loaded.
    pub loads: u64,
    /// How often it ended by itself.
    pub crashes: u64,
}

// === impl Embedder ===

impl Embedder {
    /// An embedder of what `load` loads, unloaded after `idle` without a request.
    pub fn new(load: impl Load + 'static, idle: Duration) -> Self {
        Self { shared: Arc::new(Shared::new(Box::new(load), idle, WAITING_MAX)) }
    }

    /// A vector of length one for each text, in order. A text is read up to the model's limit of tokens. Dropping the
    /// future is how to cancel: what was not begun is not done.
    ///
    /// # Errors
    /// [`EmbedError::Busy`] when too much waits, [`EmbedError::Deadline`], and whatever is wrong with the model; then
    /// nothing of the request is done.
    pub async fn embed(
        &self,
        role: Role,
        texts: Vec<String>,
        priority: Priority,
        deadline: Instant,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.ask(texts.len(), deadline, |answer| Job::embed(role, texts, priority, deadline, answer)).await
    }

    /// How many tokens each text has, without those that the model puts around it.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub async fn count(
        &self,
        texts: Vec<String>,
        priority: Priority,
        deadline: Instant,
    ) -> Result<Vec<usize>, EmbedError> {
        self.ask(texts.len(), deadline, |answer| Job::count(texts, priority, deadline, answer)).await
    }

    async fn ask<T>(
        &self,
        texts: usize,
        deadline: Instant,
        job: impl FnOnce(Answer<T>) -> Job,
    ) -> Result<Vec<T>, EmbedError> {
        if texts > TEXTS_MAX {
            return Err(EmbedError::TooMany { texts, max: TEXTS_MAX });
        }
        let (answer, answered) = oneshot::channel();
        self.shared.submit(job(answer))?;
        match timeout_at(deadline.into(), answered).await {
            Ok(Ok(outcome)) => outcome,
            // Dropped without an answer: the worker ended under it, which is a mistake of ours.
            Ok(Err(_)) => Err(EmbedError::Closed),
            Err(_) => Err(EmbedError::Deadline),
        }
    }

    /// How everything is. Looks at the disk when no model is loaded: what is missing is said before anybody asks.
    pub fn status(&self) -> Status {
        let inner = self.shared.lock();
        let (mut state, waiting) = (inner.state.clone(), inner.queue.len());
        let (loads, crashes) = (inner.loads, inner.crashes);
        drop(inner);
        // A failure that `make model` has mended since is none any more, and one that is new is one.
        if matches!(
            state,
            State::Idle | State::Failed(EmbedError::NotInstalled { .. } | EmbedError::Damaged { .. })
        ) {
            state = match (self.shared.load.look(), state) {
                (Err(error), _) => State::Failed(error),
                (Ok(()), State::Failed(EmbedError::NotInstalled { .. })) => State::Idle,
                (Ok(()), state) => state,
            };
        }
        Status { state, waiting, loads, crashes }
    }
}
