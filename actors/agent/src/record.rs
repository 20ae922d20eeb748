//! A run and its steps, as the journal has them.

use std::sync::Arc;

use protocol::{Caller, Pattern, Way};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It waits for its turn.
    Pending,
    /// It is under way.
    Running,
    /// It waits for a person: mcp.agent.approve or mcp.agent.reject.
    Waiting,
    /// It is about to stop.
    Cancelling,
    /// It did what it was to do.
    Completed,
    /// A step failed, and nothing caught that.
    Failed,
    /// It was stopped.
    Stopped,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        use State::{Cancelling, Completed, Failed, Pending, Running, Stopped, Waiting};
        let all = [Pending, Running, Waiting, Cancelling, Completed, Failed, Stopped];
        all.into_iter().find(|state| state.word() == word)
    }

    /// Whether anything of it is still to come.
    pub(crate) fn is_active(self) -> bool {
        !matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }
}

/// As whom a run calls; rights are looked up anew at every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    name: String,
    tier: String,
    allow: Option<Vec<Pattern>>,
    token: Option<i64>,
    service: Option<String>,
}

impl Owner {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            name: caller.name.clone(),
            tier: caller.tier.clone(),
            allow: caller.allow.clone(),
            token: caller.token,
            service: caller.service.as_deref().map(str::to_owned),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tier(&self) -> &str {
        &self.tier
    }

    /// It as a caller, in the run of this id.
    pub(crate) fn caller(&self, run: &str) -> Arc<Caller> {
        Arc::new(Caller {
            name: self.name.clone(),
            tier: self.tier.clone(),
            allow: self.allow.clone(),
            way: Way::Internal,
            token: self.token,
            service: self.service.as_deref().map(Into::into),
            run: Some(run.into()),
        })
    }
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub(crate) struct NewRun {
    pub(crate) id: String,
    pub(crate) workflow: String,
    /// JSON of the workflow.
    pub(crate) definition: Arc<str>,
    pub(crate) owner: Owner,
    pub(crate) inputs: Value,
    pub(crate) cause: Value,
    pub(crate) parent: Option<String>,
    pub(crate) depth: u32,
    pub(crate) concurrency: Option<u32>,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) workflow: String,
    pub(crate) owner: Owner,
    pub(crate) inputs: Value,
    pub(crate) cause: Value,
    pub(crate) parent: Option<String>,
    pub(crate) depth: u32,
    pub(crate) state: State,
    pub(crate) created_ms: i64,
    pub(crate) started_ms: Option<i64>,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) output: Option<Value>,
    pub(crate) error: Option<Value>,
    pub(crate) crashes: u32,
}

/// How a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepState {
    /// It was begun.
    Begun,
    /// It failed and waits for another try.
    Again,
    /// It waits for a person.
    Asks,
    /// A person said that it may be repeated.
    Granted,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

impl StepState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Again => "again",
            Self::Asks => "asks",
            Self::Granted => "granted",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        let all = [Self::Begun, Self::Again, Self::Asks, Self::Granted, Self::Done, Self::Failed];
        all.into_iter().find(|state| state.word() == word)
    }
}

/// A step, or a round of one.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) state: StepState,
    pub(crate) attempt: u32,
    pub(crate) begun_ms: i64,
    pub(crate) until_ms: Option<i64>,
    pub(crate) detail: Option<String>,
    pub(crate) outcome: Option<Value>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) path: String,
    pub(crate) what: &'static str,
    pub(crate) text: String,
    pub(crate) data: Option<Value>,
}

impl Event {
    pub(crate) fn new(path: &str, what: &'static str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what, text: text.into(), data: None }
    }
}

/// Something that happened, as it is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) seq: i64,
    pub(crate) at_ms: i64,
    pub(crate) path: String,
    pub(crate) what: String,
    pub(crate) text: String,
    pub(crate) data: Option<Value>,
}
