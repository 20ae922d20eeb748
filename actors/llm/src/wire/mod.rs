//! What providers speak, as pure functions: a chat in OpenAI's shape goes in, the provider's request comes out; the
//! provider's answer goes in, OpenAI's comes out. No I/O, no clock, no settings.
//!
//! OpenAI's own shape (<https://platform.openai.com/docs/api-reference/chat>) is what callers speak, so for whoever
//! speaks it too a chunk goes through as it came. For the others, what the provider cannot express is refused with the
//! name of the field; only what cannot change the answer (`user`, `metadata`, ...) is left out in silence.

mod anthropic;
mod assemble;
mod check;
mod chunk;
mod embedding;
mod gemini;
mod message;
mod ollama;
mod openai;
mod options;
mod refusal;

use serde_json::{Map, Value};

pub use assemble::Assembler;
pub use check::{KNOWN, check};
pub use embedding::{EMBEDDING_KNOWN, embeddings_as_base64};
pub use refusal::{Refusal, RefusalKind};

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// OpenAI's chat completions: OpenAI, llama.cpp, vLLM, LM Studio, Ollama's `/v1`. The base URL ends in `/v1`.
    OpenAi,
    /// Anthropic's messages. The base URL ends in `/v1`.
    Anthropic,
    /// Google's `generateContent`. The base URL ends in `/v1beta`.
    Gemini,
    /// Ollama's own `/api`. The base URL has no path.
    Ollama,
}

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
    /// The provider said in its answer that it failed.
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
    /// The chunk after those that has no choices and only says what was used. OpenAI sends it to callers with
    /// `stream_options.include_usage` alone, so whoever delivers to others leaves it out.
    pub accounting: Option<String>,
    /// Text that was written in it, for those who count: content, reasoning, and arguments of tools.
    pub written: String,
    /// What was used so far, if this piece says so; the last one counts.
    pub usage: Option<Usage>,
    /// Why the model stopped, if it did, in OpenAI's words.
    pub finish: Option<String>,
    /// The provider says that this is the end.
    pub done: bool,
}

/// Translates one streamed answer, piece by piece.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    OpenAi,
    Anthropic(anthropic::Stream),
    Gemini(gemini::Stream),
    Ollama(ollama::Stream),
}

// === impl Protocol ===

impl Protocol {
    /// How this protocol's streams are cut.
    pub fn framing(self) -> Framing {
        match self {
            Self::OpenAi | Self::Anthropic | Self::Gemini => Framing::Events,
            Self::Ollama => Framing::Lines,
        }
    }

    /// What a request carries beside its body, the key included: never log it.
    pub fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let version = (self == Self::Anthropic).then(|| ("anthropic-version", anthropic::VERSION.to_owned()));
        let key = key.map(|key| match self {
            Self::OpenAi | Self::Ollama => ("authorization", format!("Bearer {key}")),
            Self::Anthropic => ("x-api-key", key.to_owned()),
            Self::Gemini => ("x-goog-api-key", key.to_owned()),
        });
        version.into_iter().chain(key).collect()
    }

    /// The provider's request for a chat that [`check`] found well-formed.
    pub fn chat(self, chat: &Chat<'_>) -> Result<Outgoing, WireError> {
        match self {
            Self::OpenAi => Ok(openai::chat(chat)),
            Self::Anthropic => anthropic::chat(chat),
            Self::Gemini => gemini::chat(chat),
            Self::Ollama => ollama::chat(chat),
        }
    }

    /// A whole answer as OpenAI's `chat.completion`, and what it used. `created` is in seconds since 1970; `id` is
    /// the answer's name, and the ids of tool calls are made from it where the provider gives none.
    pub fn completion(
        self,
        body: &[u8],
        model: &str,
        created: u64,
        id: &str,
    ) -> Result<(Value, Option<Usage>), WireError> {
        match self {
            Self::OpenAi => openai::completion(body),
            Self::Anthropic => anthropic::completion(body, chunk::Head::new(id, created, model)),
            Self::Gemini => gemini::completion(body, chunk::Head::new(id, created, model)),
            Self::Ollama => ollama::completion(body, chunk::Head::new(id, created, model)),
        }
    }

    /// A translator for one streamed answer; the arguments are those of [`Self::completion`].
    pub fn stream(self, model: &str, created: u64, id: &str) -> Stream {
        let head = || chunk::Head::new(id, created, model);
        Stream(match self {
            Self::OpenAi => Kind::OpenAi,
            Self::Anthropic => Kind::Anthropic(anthropic::Stream::new(head())),
            Self::Gemini => Kind::Gemini(gemini::Stream::new(head())),
            Self::Ollama => Kind::Ollama(ollama::Stream::new(head())),
        })
    }

    /// The provider's request for the embeddings of a text, or of a list of texts; OpenAI's also takes tokens.
    pub fn embed(
        self,
        model: &str,
        input: &Value,
        options: &Map<String, Value>,
    ) -> Result<Outgoing, WireError> {
        let input = embedding::check(input, options, self == Self::OpenAi)?;
        match self {
            Self::OpenAi => Ok(openai::embed(model, &input, options)),
            Self::Anthropic => {
                Err(WireError::Unsupported("Anthropic has no embeddings: choose another model".to_owned()))
            }
            Self::Gemini => gemini::embed(model, &input, options),
            Self::Ollama => ollama::embed(model, &input, options),
        }
    }

    /// Embeddings as OpenAI's list, and what they used. Vectors of translated providers are lists of numbers;
    /// [`embeddings_as_base64`] is for callers who asked for the other form.
    pub fn embeddings(self, body: &[u8], model: &str) -> Result<(Value, Option<Usage>), WireError> {
        match self {
            Self::OpenAi => openai::embeddings(body),
            Self::Anthropic => Err(WireError::Broken("Anthropic has no embeddings".to_owned())),
            Self::Gemini => gemini::embeddings(body, model),
            Self::Ollama => ollama::embeddings(body, model),
        }
    }

    /// What the body of a refused request says. It knows the bodies of all protocols, for what stands before a
    /// provider often speaks another one.
    pub fn refusal(self, body: &[u8]) -> Refusal {
        refusal::read(body)
    }
}

// === impl Stream ===

impl Stream {
    /// Translates the data of the next event, or the next line.
    pub fn piece(&mut self, data: &str) -> Result<Piece, WireError> {
        match &mut self.0 {
            Kind::OpenAi => openai::piece(data),
            Kind::Anthropic(stream) => stream.piece(data),
            Kind::Gemini(stream) => stream.piece(data),
            Kind::Ollama(stream) => stream.piece(data),
        }
    }
}

// === impl WireError ===

impl WireError {
    /// A provider's answer that does not parse; what stands in it is a conversation's, so it is not quoted.
    fn broken(provider: &str, error: &serde_json::Error) -> Self {
        Self::Broken(format!(
            "{provider} sent what is not its protocol: {} at line {} column {}",
            match error.classify() {
                serde_json::error::Category::Io | serde_json::error::Category::Syntax => "broken JSON",
                serde_json::error::Category::Data => "a field of an unexpected type",
                serde_json::error::Category::Eof => "JSON that ends too early",
            },
            error.line(),
            error.column()
        ))
    }
}

/// A body that must be text.
fn text<'a>(provider: &str, body: &'a [u8]) -> Result<&'a str, WireError> {
    std::str::from_utf8(body).map_err(|_| {
        WireError::Broken(format!("{provider} sent what is not its protocol: text that is not UTF-8"))
    })
}

#[cfg(test)]
mod tests;
