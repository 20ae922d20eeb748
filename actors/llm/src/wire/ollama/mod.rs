//! Ollama's own API (<https://github.com/ollama/ollama/blob/main/docs/api.md>), which, unlike its `/v1`, lets the alias
//! set the context window and how long a model stays loaded.

mod answer;
mod embedding;
mod request;

pub(super) use answer::{Stream, completion};
pub(super) use embedding::{embed, embeddings};
pub(super) use request::chat;

/// As errors call them: "is not supported by Ollama models".
const PROVIDER: &str = "Ollama";
