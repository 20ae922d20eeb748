//! Events as bytes, cut into the writes that a test wants to see. Pure.

use axum::body::Bytes;
use serde_json::Value;

use super::answer::{Event, Framing};
use super::play::Wire;

/// The writes of one event.
pub(super) fn writes(event: &Event, framing: Framing, wire: Wire) -> Vec<Bytes> {
    let newline = if matches!(wire, Wire::Crlf | Wire::Split) { "\r\n" } else { "\n" };
    let text = match framing {
        Framing::Lines => line(event, wire, newline),
        Framing::Sse => sse(event, wire, newline),
    };
    match wire {
        Wire::Bytewise => text.bytes().map(|byte| Bytes::copy_from_slice(&[byte])).collect(),
        Wire::Split => split(text.as_bytes()),
        _ => vec![text.into()],
    }
}

fn line(event: &Event, wire: Wire, newline: &str) -> String {
    let blank = if wire == Wire::Pings { newline } else { "" };
    format!("{blank}{}{newline}", event.data)
}

fn sse(event: &Event, wire: Wire, newline: &str) -> String {
    let mut text = String::new();
    if wire == Wire::Pings {
        text.push_str(": a ping\n\n\n:\nid: 7\nretry: 1000\n");
    }
    if let Some(name) = event.name {
        text.extend(["event: ", name, newline]);
    }
    match (&event.data, wire) {
        (Value::String(word), _) => text.extend(["data: ", word, newline]),
        (json, Wire::ManyLines) => {
            for line in format!("{json:#}").lines() {
                text.extend(["data:", line, newline]);
            }
        }
        (json, _) => text.extend(["data: ", &json.to_string(), newline]),
    }
    text.push_str(newline);
    text
}

/// Cuts between `\r` and `\n`, and behind the first byte of every longer character.
fn split(mut bytes: &[u8]) -> Vec<Bytes> {
    let mut writes = Vec::new();
    while let Some(at) = bytes.iter().position(|byte| *byte == b'\r' || *byte >= 0xc0) {
        let (write, rest) = bytes.split_at(at + 1);
        writes.push(Bytes::copy_from_slice(write));
        bytes = rest;
    }
    if !bytes.is_empty() {
        writes.push(Bytes::copy_from_slice(bytes));
    }
    writes
}
