//! The smallest picture and the smallest sound, and a reply of one text.

use protocol::mcp::{self, Rich};
use protocol::{Code, Error};
use serde_json::{Value, json};

/// One red pixel, in base64.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

/// Eight samples of silence (mono, 8 bits, 8000 Hz), in base64.
pub(crate) const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

/// A tool result of one text.
pub(crate) fn said(text: &str) -> Rich {
    Rich::content([mcp::text(text)])
}

/// A sound, in base64.
pub(crate) fn audio(base64: &str, mime_type: &str) -> Value {
    json!({ "type": "audio", "data": base64, "mimeType": mime_type })
}

/// An error of the tool, not of the protocol: the caller's model is to see it.
pub(crate) fn failed(text: &str) -> Error {
    Error::new(Code::FsPath, text)
}
