//! The ways in which a command can fail, and the exit code of each. How they look is `render/error.rs`'s affair.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An error object as the server sent it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Value>,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed makes no sense here; nothing was sent.
    #[error("{0}")]
    Usage(String),
    /// The server answered with an error.
    #[error("{}", .0.message)]
    Call(Fault),
    /// The work was done, but the outcome is not usable: a binary file for a terminal, a file that changed.
    #[error("{0}")]
    Refused(String),
    /// There is no connection, or it went away before the answer came.
    #[error("{0}")]
    Connection(String),
    /// No answer and no news for this long; the server was told to stop.
    #[error("no answer within {} s; the call was cancelled (--timeout sets the limit)", .0.as_secs_f64())]
    Timeout(Duration),
    /// Ctrl-C; the server was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// Standard output or a local file failed.
    #[error("{0}")]
    Local(#[from] io::Error),
    /// Some of several paths failed, and each has been reported already.
    #[error("some paths failed")]
    Reported,
}

impl Failure {
    /// 1: a call failed. 2: usage or connection. A reader that closed the pipe has what it wanted: 0.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Connection(_) => 2,
            Self::Local(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            _ => 1,
        }
    }
}
