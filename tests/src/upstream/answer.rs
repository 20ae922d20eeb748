//! What is asked of the upstream, in which API's words, and what that API's answer is made of. Pure.

use axum::http::Method;
use serde_json::{Value, json};

use super::play::Play;
use super::{anthropic, gemini, ollama, openai};

/// An API that the upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Chat,
    Stream,
    Embeddings,
    Models,
}

/// One question.
pub(super) struct Ask {
    pub(super) api: Api,
    pub(super) wanted: Wanted,
    pub(super) model: String,
    pub(super) body: Value,
}

/// One event of a stream.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The name of an SSE event, in the APIs that name them.
    pub(super) name: Option<&'static str>,
    /// Its JSON, or a word that is none.
    pub(super) data: Value,
}

/// A stream's events, in order.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) opening: Vec<Event>,
    /// What troubles count.
    pub(super) contents: Vec<Event>,
    pub(super) closing: Vec<Event>,
    /// What says that all has been said.
    pub(super) end: Vec<Event>,
}

/// How a stream's events are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Sse,
    /// A line of JSON each.
    Lines,
}

impl Event {
    pub(super) fn of(data: Value) -> Self {
        Self { name: None, data }
    }

    pub(super) fn named(name: &'static str, data: Value) -> Self {
        Self { name: Some(name), data }
    }
}

impl Ask {
    /// The question in a request; `None` where nothing is served.
    pub(super) fn of(method: &Method, path: &str, body: Value) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let streamed = |by_default: bool| {
            if body["stream"].as_bool().unwrap_or(by_default) { Wanted::Stream } else { Wanted::Chat }
        };
        let (api, wanted) = match (method.as_str(), path) {
            ("POST", "/v1/chat/completions") => (Api::OpenAi, streamed(false)),
            ("POST", "/v1/embeddings") => (Api::OpenAi, Wanted::Embeddings),
            ("GET", "/v1/models") => (Api::OpenAi, Wanted::Models),
            ("POST", "/v1/messages") => (Api::Anthropic, streamed(false)),
            ("POST", "/api/chat") => (Api::Ollama, streamed(true)),
            ("POST", "/api/embed") => (Api::Ollama, Wanted::Embeddings),
            ("GET", "/api/tags") => (Api::Ollama, Wanted::Models),
            ("GET", "/v1beta/models") => (Api::Gemini, Wanted::Models),
            ("POST", path) => {
                let (model, verb) = path.strip_prefix("/v1beta/models/")?.split_once(':')?;
                let wanted = match verb {
                    "generateContent" => Wanted::Chat,
                    "streamGenerateContent" => Wanted::Stream,
                    "batchEmbedContents" => Wanted::Embeddings,
                    _ => return None,
                };
                return Some(Self { api: Api::Gemini, wanted, model: model.to_owned(), body });
            }
            _ => return None,
        };
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        Some(Self { api, wanted, model, body })
    }

    pub(super) fn framing(&self) -> Framing {
        if self.api == Api::Ollama { Framing::Lines } else { Framing::Sse }
    }

    /// The whole answer, where no stream is wanted.
    pub(super) fn plain(&self, play: &Play) -> Value {
        match (self.api, self.wanted) {
            (Api::OpenAi, Wanted::Models) => openai::models(),
            (Api::OpenAi, Wanted::Embeddings) => openai::embeddings(&self.body, play),
            (Api::OpenAi, _) => openai::plain(&self.model, play),
            (Api::Anthropic, _) => anthropic::plain(&self.model, play),
            (Api::Gemini, Wanted::Models) => json!({ "models": [{ "name": "models/scripted" }] }),
            (Api::Gemini, Wanted::Embeddings) => gemini::embeddings(&self.body),
            (Api::Gemini, _) => gemini::plain(&self.model, play),
            (Api::Ollama, Wanted::Models) => json!({ "models": [{ "name": "scripted:latest" }] }),
            (Api::Ollama, Wanted::Embeddings) => ollama::embeddings(&self.body, play),
            (Api::Ollama, _) => ollama::plain(&self.model, play),
        }
    }

    pub(super) fn events(&self, play: &Play) -> Events {
        match self.api {
            Api::OpenAi => openai::events(&self.body, &self.model, play),
            Api::Anthropic => anthropic::events(&self.model, play),
            Api::Gemini => gemini::events(&self.model, play),
            Api::Ollama => ollama::events(&self.model, play),
        }
    }

    /// An error as the body of a refusal, or as an event in the middle of a stream.
    pub(super) fn error(&self, status: u16, message: &str) -> Event {
        match self.api {
            Api::OpenAi => Event::of(json!({
                "error": { "message": message, "type": "upstream_error", "param": null, "code": status.to_string() },
            })),
            Api::Anthropic => Event::named(
                "error",
                json!({ "type": "error", "error": { "type": "api_error", "message": message } }),
            ),
            Api::Gemini => {
                Event::of(json!({ "error": { "code": status, "message": message, "status": "UNAVAILABLE" } }))
            }
            Api::Ollama => Event::of(json!({ "error": message })),
        }
    }
}

/// The texts that embeddings are wanted of: one, or a list.
pub(super) fn texts(input: &Value) -> Vec<&str> {
    match input {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().into_iter().collect(),
    }
}

/// A vector that is the same for the same text. Its parts are eighths, so that no float format changes them.
pub(super) fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let sum = text.bytes().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let part = |at: usize| sum.rotate_left(u32::try_from(at % 16).unwrap_or_default()) % 17;
    (0..dimensions).map(|at| f32::from(part(at)) / 8.0 - 1.0).collect()
}
