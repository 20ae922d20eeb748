//! `models.yaml`: the language models that callers may use, each under an alias.

mod fields;
mod keys;
mod load;
mod one;
pub(crate) mod original;
mod whole;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

pub use fields::CHAT_FIELDS;
pub use load::load_models;
pub(crate) use one::SHAPE;

/// Every model by its alias.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Models(BTreeMap<String, Model>);

/// One model: who provides it, and how it may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Who provides it, which decides what is spoken with it.
    pub provider: Provider,
    /// Its name at the provider (`model_name` in the original).
    #[schemars(length(min = 1, max = 200))]
    pub model: String,
    /// Where its API is: up to `/v1` for those that speak as OpenAI does and for Anthropic, up to `/v1beta` for Gemini,
    /// without a path for Ollama (`api_base_url` in the original). The provider's own by default.
    #[serde(default)]
    pub base_url: String,
    /// The provider's key: `${NAME}` for an environment variable, `file:PATH` for a file.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// Whether it is meant when a call says no model (`is_default` in the original).
    #[serde(default)]
    pub default: bool,
    /// What it is for: conversations, or vectors of texts.
    #[serde(default)]
    pub kind: Kind,
    /// Tokens that a conversation may have in all, where that is known; more than `max_output_tokens`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub context_window: Option<u64>,
    /// Tokens that one answer may have where the caller does not say: what is reserved, and under a limit asked for.
    #[serde(default = "max_output_tokens")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_output_tokens: u64,
    /// What it costs, for the limits of money.
    #[serde(default)]
    pub price: Price,
    /// How long it is waited for.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Calls at one time.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 100_000))]
    pub concurrency: u32,
    /// Calls that may wait for a place among those; further ones are refused.
    #[serde(default = "queue")]
    #[schemars(range(min = 0, max = 100_000))]
    pub queue: u32,
    /// How long they wait, in seconds.
    #[serde(default = "queue_seconds")]
    #[schemars(range(min = 1, max = 3600))]
    pub queue_seconds: u64,
    /// Aliases of the same kind that are asked when this one fails before it has begun to answer, in this order, each
    /// once.
    #[serde(default)]
    #[schemars(length(min = 0, max = 32))]
    pub fallbacks: Vec<String>,
    /// Fields of a request that go to the provider though OpenAI's chat has no such: `top_k`, `min_p`. None of those
    /// that the limits count.
    #[serde(default)]
    #[schemars(length(min = 0, max = 64), inner(length(min = 1, max = 64)))]
    pub allow_fields: Vec<String>,
    /// How often a request that failed is made again.
    #[serde(default = "retries")]
    #[schemars(range(min = 0, max = 10))]
    pub retries: u32,
    /// When it is not asked for a while.
    #[serde(default)]
    pub breaker: Breaker,
    /// Why it cannot be used, if it cannot: never written in a file.
    #[serde(skip)]
    #[schemars(skip)]
    pub unusable: Option<String>,
}

/// Who provides a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// A server of llama.cpp.
    LlamaCpp,
    /// A server of vLLM.
    Vllm,
    /// LM Studio.
    LmStudio,
    /// Anything else that speaks as OpenAI does.
    OpenaiCompatible,
    /// Ollama, by its own API.
    Ollama,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Conversations.
    #[default]
    Chat,
    /// Vectors of texts.
    Embedding,
}

/// Money per million tokens, in a unit of the owner's choice: the one of the limits `cost_per_day` and
/// `max_llm_cost_per_day`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// Money per million tokens that are read.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub input_per_million: f64,
    /// Money per million tokens that are written, in the same unit: the one of `cost_per_day`.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub output_per_million: f64,
}

/// How long a model is waited for, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Seconds to wait for a connection.
    #[schemars(range(min = 1, max = 300))]
    pub connect_seconds: u64,
    /// Seconds from the request to the first piece of an answer.
    #[schemars(range(min = 1, max = 3600))]
    pub first_token_seconds: u64,
    /// Seconds from one piece to the next.
    #[schemars(range(min = 1, max = 3600))]
    pub idle_seconds: u64,
    /// Seconds for the whole answer.
    #[schemars(range(min = 1, max = 3600))]
    pub total_seconds: u64,
}

/// When a model is not asked for a while, so that nobody waits for one that is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// After so many requests in a row that failed. Five are an outage, fewer may be bad luck.
    #[schemars(range(min = 1, max = 1000))]
    pub failures: u32,
    /// For so many seconds; then one call tries. Servers of models need about as long to start again.
    #[schemars(range(min = 1, max = 3600))]
    pub open_seconds: u64,
}

const fn max_output_tokens() -> u64 {
    4096
}

const fn concurrency() -> u32 {
    8
}

const fn queue() -> u32 {
    32
}

const fn queue_seconds() -> u64 {
    30
}

const fn retries() -> u32 {
    2
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, open_seconds: 15 }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_seconds: 10, first_token_seconds: 120, idle_seconds: 60, total_seconds: 600 }
    }
}

// === impl Models ===

impl Models {
    /// Every model with its alias, by alias.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Model)> {
        self.0.iter().map(|(alias, model)| (alias.as_str(), model))
    }

    /// The model of this alias.
    pub fn get(&self, alias: &str) -> Option<&Model> {
        self.0.get(alias)
    }

    /// The alias that is meant when none is said: the one that says so, or the only one of its kind.
    pub fn default_of(&self, kind: Kind) -> Option<&str> {
        let mut of_kind = self.iter().filter(|(_, model)| model.kind == kind);
        let marked = self.iter().find(|(_, model)| model.kind == kind && model.default);
        let only = || match (of_kind.next(), of_kind.next()) {
            (only, None) => only,
            _ => None,
        };
        marked.or_else(only).map(|(alias, _)| alias)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Kind, Provider ===

impl Kind {
    /// What a model of this kind is for.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Chat => "chats",
            Self::Embedding => "embeddings",
        }
    }
}

impl Provider {
    /// Where the provider's own API is; empty for those that everybody runs elsewhere.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Openai => "https://api.openai.com/v1",
            Self::LlamaCpp => "http://127.0.0.1:8080/v1",
            Self::LmStudio => "http://127.0.0.1:1234/v1",
            // vLLM's own port is ours: a line that was forgotten must not make us ask ourselves.
            Self::OpenaiCompatible | Self::Vllm => "",
            Self::Ollama => "http://127.0.0.1:11434",
            Self::Anthropic => "https://api.anthropic.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
        }
    }

    /// Whether it answers nobody without a key.
    fn needs_key(self) -> bool {
        matches!(self, Self::Openai | Self::Anthropic | Self::Gemini)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Openai => "openai",
            Self::LlamaCpp => "llama_cpp",
            Self::Vllm => "vllm",
            Self::LmStudio => "lm_studio",
            Self::OpenaiCompatible => "openai_compatible",
            Self::Ollama => "ollama",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        })
    }
}
