//! How an actor ended, read from what ractor reports.

use std::error::Error;
use std::fmt;

use ractor::SupervisionEvent;

/// How an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It stopped, or was asked to.
    Normally { reason: Option<String> },
    /// A handler returned `Err` or panicked.
    Failed { text: String },
    /// It was killed: no `post_stop`, its work cut off wherever it was.
    Killed,
}

/// The reason that ractor reports for a kill. An actor that stops itself with
/// this very word is taken for killed: ractor leaves no way to tell.
const KILLED: &str = "killed";

/// The reason that ractor reports when the runtime drops an actor's task.
const TASK_CANCELLED: &str = "actor_task_cancelled";

// === impl Ended ===

impl Ended {
    /// Reads an end out of a supervision event, and drops the state that the event
    /// carries: what the dead actor held (a listener, a lock) is free from here on.
    pub(crate) fn from_event(event: SupervisionEvent) -> Option<Self> {
        match event {
            SupervisionEvent::ActorTerminated(_, _, reason) => Some(match reason.as_deref() {
                Some(KILLED | TASK_CANCELLED) => Self::Killed,
                _ => Self::Normally { reason },
            }),
            SupervisionEvent::ActorFailed(_, error) => {
                Some(Self::Failed { text: with_sources(error.as_ref()) })
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => None,
        }
    }

    /// Whether this counts as abnormal.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Normally { .. })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normally { reason: None } => f.write_str("stopped"),
            Self::Normally { reason: Some(reason) } => write!(f, "stopped: {reason}"),
            Self::Failed { text } => f.write_str(text),
            Self::Killed => f.write_str(KILLED),
        }
    }
}

/// An error on one line, with its causes: `start root/fs: open index: permission denied`.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
