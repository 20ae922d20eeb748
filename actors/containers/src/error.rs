//! Why a container did not run, or why nobody knows, in words of ours.

use bollard::errors::Error as Cause;

/// Whether the container's program may have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Started {
    /// It has not.
    No,
    /// Nobody knows until the engine answers again: [`crate::Engine::find`] tells then.
    Maybe,
    /// It has.
    Yes,
}

/// Of what kind a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is asked for cannot be run by anybody.
    Invalid,
    /// The policy does not let it.
    NotAllowed,
    /// There is no engine, or it may not be used, or what is there is none.
    NoEngine,
    /// The engine has no such image.
    NoImage,
    /// The engine would not, and says why.
    Refused,
    /// The engine went away, or does not answer.
    Lost,
}

/// A container without an outcome.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Of what kind.
    pub kind: Kind,
    /// Whether something may have run.
    pub started: Started,
    /// What happened and what to do.
    pub message: String,
}

/// More of what an engine says is not repeated.
const SAID_MAX: usize = 400;

impl Kind {
    /// Its name in journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotAllowed => "not_allowed",
            Self::NoEngine => "no_engine",
            Self::NoImage => "no_image",
            Self::Refused => "refused",
            Self::Lost => "lost",
        }
    }
}

impl Started {
    /// Its name in journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

impl Error {
    /// One from before anything was started.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, started: Started::No, message: message.into() }
    }

    /// What the engine said, or that it says nothing, while it was to `do_what`.
    pub(crate) fn of(cause: &Cause, do_what: &str) -> Self {
        match cause {
            Cause::DockerResponseServerError { status_code, message } => {
                let said: String = message.trim().chars().take(SAID_MAX).collect();
                Self::new(Kind::Refused, format!("The engine would not {do_what} ({status_code}): {said}"))
            }
            Cause::RequestTimeoutError => Self::late(do_what),
            other => {
                let why = root(other);
                Self::new(Kind::Lost, format!("The engine went away when it was to {do_what}: {why}."))
            }
        }
    }

    pub(crate) fn late(do_what: &str) -> Self {
        Self::new(Kind::Lost, format!("The engine did not {do_what} in time."))
    }

    pub(crate) fn started(self, started: Started) -> Self {
        Self { started, ..self }
    }
}

/// The innermost cause.
fn root(error: &Cause) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The status that the engine answered with.
pub(crate) fn status(cause: &Cause) -> Option<u16> {
    match cause {
        Cause::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}
