//! OpenAI's shapes, written: chunks of a stream, and whole completions.
//!
//! Both are made of the same pieces, so that a stream that was put together equals the completion of the same answer.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Piece, Usage};

/// What every chunk of an answer says about it.
#[derive(Debug)]
pub(super) struct Head {
    id: String,
    created: u64,
    model: String,
    /// The first chunk says who speaks.
    opened: bool,
}

/// What a model wrote, at one moment of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wrote<'a> {
    Text(&'a str),
    Reasoning(&'a str),
    /// A call begins.
    Call(Call<'a>),
    /// More of a call's arguments.
    Arguments {
        index: u32,
        text: &'a str,
    },
}

/// A call of a tool, with what is known of its arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) index: u32,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
    /// Gemini's, which it wants back: `extra_content.google.thought_signature`.
    pub(super) signature: Option<&'a str>,
}

/// What was used, with the details that OpenAI's `usage` has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) usage: Usage,
    /// Of the prompt, read from a cache.
    pub(super) cached: Option<u64>,
    /// Of what was written, thinking.
    pub(super) reasoning: Option<u64>,
}

/// A whole answer, being gathered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) calls: Vec<Value>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Value; 1]>,
}

// === impl Head ===

impl Head {
    pub(super) fn new(id: &str, created: u64, model: &str) -> Self {
        Self { id: id.to_owned(), created, model: model.to_owned(), opened: false }
    }

    /// A name for the call number `index` of this answer, for providers that name none.
    pub(super) fn call_id(&self, index: u32) -> String {
        format!("call_{}_{index}", self.id.strip_prefix("chatcmpl-").unwrap_or(&self.id))
    }

    /// Adds to `piece` the chunk that says what was written.
    pub(super) fn write(&mut self, piece: &mut Piece, wrote: Wrote<'_>) {
        let mut delta = Delta::default();
        match wrote {
            Wrote::Text(text) => delta.content = Some(text),
            Wrote::Reasoning(text) => delta.reasoning_content = Some(text),
            Wrote::Call(call) => {
                let mut value = call.to_value();
                value.insert("index".to_owned(), call.index.into());
                delta.tool_calls = Some([Value::Object(value)]);
            }
            Wrote::Arguments { index, text } => {
                delta.tool_calls = Some([json!({"index": index, "function": {"arguments": text}})]);
            }
        }
        piece.written.push_str(match wrote {
            Wrote::Text(text) | Wrote::Reasoning(text) | Wrote::Arguments { text, .. } => text,
            Wrote::Call(call) => call.arguments,
        });
        piece.chunks.push(self.chunk(delta, None));
    }

    /// Adds to `piece` the chunk that says why the model stopped.
    pub(super) fn finish(&mut self, piece: &mut Piece, reason: &str) {
        let mut delta = Delta::default();
        if !self.opened {
            // An answer of nothing is still a text.
            delta.content = Some("");
        }
        piece.chunks.push(self.chunk(delta, Some(reason)));
        piece.finish = Some(reason.to_owned());
    }

    /// Adds to `piece` what was used in all.
    pub(super) fn spent(&self, piece: &mut Piece, spent: Spent) {
        piece.usage = Some(spent.usage);
        piece.accounting = Some(self.text(&[], Some(spent.to_value())));
    }

    /// The whole answer.
    pub(super) fn completion(self, answer: Answer, finish: &str, spent: Option<Spent>) -> Value {
        let mut body = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": answer.into_message(), "finish_reason": finish}],
        });
        if let Some(spent) = spent {
            body["usage"] = spent.to_value();
        }
        body
    }

    fn chunk(&mut self, mut delta: Delta<'_>, finish_reason: Option<&str>) -> String {
        if !self.opened {
            delta.role = Some("assistant");
            self.opened = true;
        }
        self.text(&[Choice { index: 0, delta, finish_reason }], None)
    }

    fn text(&self, choices: &[Choice<'_>], usage: Option<Value>) -> String {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage,
        };
        serde_json::to_string(&chunk).expect("strings, numbers and JSON values have a JSON form")
    }
}

// === impl Wrote ===

impl Wrote<'_> {
    /// Whether nothing was written, as in the first delta of many providers.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::Arguments { text, .. } => text.is_empty(),
            Self::Call(_) => false,
        }
    }
}

// === impl Call ===

impl Call<'_> {
    fn to_value(self) -> Map<String, Value> {
        let mut value = Map::new();
        value.insert("id".to_owned(), self.id.into());
        value.insert("type".to_owned(), "function".into());
        value.insert("function".to_owned(), json!({"name": self.name, "arguments": self.arguments}));
        if let Some(signature) = self.signature {
            value.insert("extra_content".to_owned(), json!({"google": {"thought_signature": signature}}));
        }
        value
    }
}

// === impl Spent ===

impl Spent {
    fn to_value(self) -> Value {
        let Usage { prompt, completion } = self.usage;
        let mut value = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt.saturating_add(completion),
        });
        if let Some(cached) = self.cached {
            value["prompt_tokens_details"] = json!({"cached_tokens": cached});
        }
        if let Some(reasoning) = self.reasoning {
            value["completion_tokens_details"] = json!({"reasoning_tokens": reasoning});
        }
        value
    }
}

// === impl Answer ===

impl Answer {
    pub(super) fn call(&mut self, call: Call<'_>) {
        self.calls.push(Value::Object(call.to_value()));
    }

    fn into_message(self) -> Value {
        message(self.text, self.reasoning, self.calls)
    }
}

/// The `message` of a choice. Where there are calls and no text, its content is null; reasoning that is not there is
/// not a field of it.
pub(super) fn message(text: String, reasoning: String, calls: Vec<Value>) -> Value {
    let content = (calls.is_empty() || !text.is_empty()).then_some(text);
    let mut message = json!({"role": "assistant", "content": content});
    if !reasoning.is_empty() {
        message["reasoning_content"] = reasoning.into();
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}
