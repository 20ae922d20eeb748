//! The LLM proxy: one metered door to every model (`mcp.llm.*`).
//!
//! A chat is asked for in OpenAI's shape whoever the provider is ([`wire`] translates), under limits that hold
//! (`quota`), of the model that was asked for or of those that stand in for it (`chat`), and reaches its caller in parts
//! or whole.

pub mod wire;

mod ask;
mod bill;
mod breaker;
mod chat;
mod connections;
mod embed;
mod failure;
mod local;
mod methods;
mod pieces;
mod quota;
mod registry;
mod service;
mod tokens;
mod tries;
mod upstream;

pub use methods::methods;
pub use service::{Config, Llm};
