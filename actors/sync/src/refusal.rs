//! Errors of the service: what happened, to what, and what to do.

use protocol::{Code, Error};
use serde_json::json;

/// As much of a caller's text as an error repeats, with nothing in it that could confuse a terminal.
pub(crate) fn shown(text: &str) -> String {
    const CHARS: usize = 120;
    let mut out: String = text.chars().take(CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS).is_some() {
        out.push('…');
    }
    out
}

/// -32022: a side or an option is not one that may be used.
pub(crate) fn refused(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::SyncRefused, message).with_data(json!({ "kind": kind }))
}

/// -32021: there is no such job, definition or plan.
pub(crate) fn no_such(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::SyncJob, message).with_data(json!({ "kind": kind }))
}

/// -32023: rclone cannot be used.
pub(crate) fn rclone(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::SyncRclone, message).with_data(json!({ "kind": kind }))
}

/// -32024: rclone or the remote failed.
pub(crate) fn failed(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::SyncFailed, message).with_data(json!({ "kind": kind }))
}
