//! A job: what it is to do, how it is, and what it came to. The words of its states are the original's where it had one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::progress::Progress;
use crate::verb::Verb;

/// What a job is to do, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) verb: Verb,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) options: Options,
}

/// How a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// It was told to stop and has not yet.
    Stopping,
    /// It did what it was to do.
    Completed,
    /// It did not, and says why.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// rclone or the daemon ended in the middle of it; `mcp.sync.resume` goes on.
    Interrupted,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Stopping,
        Self::Completed,
        Self::Failed,
        Self::Stopped,
        Self::Interrupted,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether anything of it is still to come.
    pub(crate) fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Stopping)
    }
}

/// A job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) seq: i64,
    pub(crate) id: String,
    /// The definition that it was made from.
    pub(crate) name: Option<String>,
    pub(crate) caller: String,
    pub(crate) tier: String,
    pub(crate) task: Task,
    pub(crate) state: State,
    /// How it is, for a person.
    pub(crate) message: String,
    /// How often it was begun.
    pub(crate) attempt: u32,
    pub(crate) created_ms: i64,
    pub(crate) started_ms: Option<i64>,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) return_code: Option<i32>,
    pub(crate) progress: Progress,
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) state: State,
    pub(crate) message: String,
    pub(crate) return_code: Option<i32>,
}

impl Outcome {
    pub(crate) fn new(state: State, message: impl Into<String>) -> Self {
        let return_code = match state {
            State::Completed => Some(0),
            State::Failed => Some(1),
            _ => None,
        };
        Self { state, message: message.into(), return_code }
    }
}

impl Task {
    /// `copy / -> box:backup`.
    pub(crate) fn description(&self) -> String {
        format!("{} {} -> {}", self.verb.word(), self.source, self.destination)
    }
}
