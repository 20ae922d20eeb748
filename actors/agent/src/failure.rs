//! How a step ends when it does not end well.

use protocol::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Why a step failed: `error` of `catch` and `retry.when`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// What kind of failure: a name of the table of errors, or one of the service's own.
    pub(crate) kind: String,
    /// What happened, to what, and what to do.
    pub(crate) message: String,
    /// The number of the table of errors.
    pub(crate) code: Option<i32>,
    /// Particulars.
    pub(crate) data: Box<Value>,
    /// Which step, by its place.
    pub(crate) step: String,
}

/// Why a run does not go on.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A step failed.
    Failed(Box<Failure>),
    /// Somebody asked.
    Asked,
    /// The process ends; the journal has how far it got.
    Shutdown,
    /// The journal cannot be written: nothing more may be done.
    Lost(Box<Error>),
}

/// What a step came to.
pub(crate) type Flow<T> = Result<T, Stop>;

impl Failure {
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            code: None,
            data: Box::default(),
            step: String::new(),
        }
    }

    /// That of a call.
    pub(crate) fn of(error: &Error) -> Self {
        Self {
            code: Some(error.foreign.unwrap_or(error.code.number())),
            data: error.data.clone().unwrap_or_default(),
            ..Self::new(error.code.label(), error.message.clone())
        }
    }

    pub(crate) fn with_data(self, data: Value) -> Self {
        Self { data: data.into(), ..self }
    }

    /// The same, of the step at `path`.
    pub(crate) fn at(mut self, path: &str) -> Self {
        if self.step.is_empty() {
            path.clone_into(&mut self.step);
        }
        self
    }

    /// As expressions see it.
    pub(crate) fn value(&self) -> Value {
        json!({ "kind": self.kind, "message": self.message, "code": self.code, "data": self.data, "step": self.step })
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Lost(Box::new(error))
    }
}
