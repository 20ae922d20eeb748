//! What became of a container, read from what the engine keeps of it: the same before and after a crash of ours.

use std::time::Duration;

use bollard::models::ContainerState;
use jiff::Timestamp;

/// What the kernel's kill looks like.
pub(crate) const KILLED: i64 = 137;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with the code.
    Exited,
    /// The kernel killed something in it for want of memory; the code says whether the program went on to its end.
    OutOfMemory,
    /// Its time was up.
    TimedOut,
    /// Somebody did not want it any more.
    Cancelled,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Its code; 137 where it was killed.
    pub exit_code: i64,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// From its start to its end.
    pub took: Duration,
    /// Whether it printed more than was read.
    pub log_truncated: bool,
}

impl End {
    /// Its name in journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::OutOfMemory => "out_of_memory",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Outcome {
    /// Whether the program says that it went well.
    pub fn is_success(&self) -> bool {
        self.end == End::Exited && self.exit_code == 0
    }

    /// From the engine's own words; that somebody cancelled it, the engine does not know.
    pub(crate) fn of(state: &ContainerState, timeout: Duration) -> Self {
        let exit_code = state.exit_code.unwrap_or(-1);
        let (started_at, took) = times(state);
        let end = if state.oom_killed == Some(true) {
            End::OutOfMemory
        } else if exit_code == KILLED && took >= timeout {
            End::TimedOut
        } else {
            End::Exited
        };
        Self { end, exit_code, started_at, took, log_truncated: false }
    }
}

/// When it began, and how long it ran or has been running.
pub(crate) fn times(state: &ContainerState) -> (Option<Timestamp>, Duration) {
    let time = |text: &Option<String>| {
        let time: Timestamp = text.as_deref()?.parse().ok()?;
        // The year 1 is how the engine says "never".
        (time.as_second() > 0).then_some(time)
    };
    let started = time(&state.started_at);
    let running = state.running == Some(true);
    let until = time(&state.finished_at).filter(|_| !running).unwrap_or_else(Timestamp::now);
    let took = started.and_then(|started| Duration::try_from(until.duration_since(started)).ok());
    (started, took.unwrap_or_default())
}
