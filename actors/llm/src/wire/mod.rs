//! What providers speak, as pure functions: a chat in OpenAI's shape goes in, the provider's request comes out; the
//! provider's answer goes in, OpenAI's comes out. No I/O, no clock, no settings.
//!
//! OpenAI's own shape (<https://platform.openai.com/docs/api-reference/chat>) is what callers speak, so for whoever
//! speaks it too a chunk goes through as it came.

use serde_json::{Map, Value};

/// A chat as a caller asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Chat<'a> {
    /// The model's name at the provider.
    pub model: &'a str,
    /// Messages in OpenAI's shape, roles `system`, `developer`, `user`, `assistant`, `tool`.
    pub messages: &'a [Value],
    /// Everything else of the body, checked already: known fields, and those that the alias allows.
    pub options: &'a Map<String, Value>,
    /// Whether the answer comes in pieces.
    pub stream: bool,
}

/// A request to a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// What follows the base URL: `/chat/completions`.
    pub path: String,
    /// The body.
    pub body: Value,
}

/// What a call used, as the provider counted it. Prompt tokens read from a cache are part of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that were read.
    pub prompt: u64,
    /// Tokens that were written, thinking included.
    pub completion: u64,
}

/// Why something of a caller's or a provider's is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The caller asked for what this provider cannot do, or in a shape that cannot be translated: -32602.
    #[error("{0}")]
    Unsupported(String),
    /// The provider answered with something else than its protocol has.
    #[error("{0}")]
    Broken(String),
    /// The provider said in its stream that it failed.
    #[error("{0}")]
    Failed(String),
}

/// How a stream is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events; the piece is an event's data.
    Events,
    /// JSON in lines; the piece is a line.
    Lines,
}

/// One piece of a stream, translated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Chunks in OpenAI's shape (`chat.completion.chunk`), as JSON text, in order; mostly one.
    pub chunks: Vec<String>,
    /// Text that was written in it, for those who count: content, reasoning, and arguments of tools.
    pub written: String,
    /// What was used so far, if this piece says so; the last one counts.
    pub usage: Option<Usage>,
    /// Why the model stopped, if it did, in OpenAI's words.
    pub finish: Option<String>,
    /// The provider says that this is the end.
    pub done: bool,
}
