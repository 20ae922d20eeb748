//! A message, or the events of a streamed one, in OpenAI's shapes
//! (<https://docs.anthropic.com/en/docs/build-with-claude/streaming>).

use serde::Deserialize;
use serde_json::Value;

use super::super::chunk::{Answer, Call, Head, Spent, Wrote};
use super::super::{Piece, Usage, WireError, refusal, text};
use super::{JSON_TOOL, PROVIDER};

/// Translates a streamed message.
#[derive(Debug)]
pub(in super::super) struct Stream {
    head: Head,
    used: Used,
    /// What the block that is open now is.
    block: Block,
    /// Tool calls so far.
    calls: u32,
}

/// The block that deltas belong to. Blocks come one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// Text, thinking, or something that OpenAI's shape has no place for, such as searches of the server's.
    Plain,
    /// A call, by its number, and whether it has arguments yet.
    Call { index: u32, bare: bool },
    /// The call that is the answer.
    Json,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        content_block: ContentBlock,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    ContentBlockStop,
    MessageDelta {
        delta: Stopped,
        #[serde(default)]
        usage: Used,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// `ping`, and whatever is added later: clients are asked to pass over what they do not know.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    usage: Used,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentBlock {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    /// Signatures and citations.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Stopped {
    #[serde(default)]
    stop_reason: Option<String>,
}

/// Counts are of the whole message each time; a later event may leave some out.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Used {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Whole {
    content: Vec<ContentBlock>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<Used>,
}

pub(in super::super) fn completion(body: &[u8], head: Head) -> Result<(Value, Option<Usage>), WireError> {
    let whole: Value =
        serde_json::from_str(text(PROVIDER, body)?).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if whole.get("error").is_some_and(|error| !error.is_null()) {
        return Err(WireError::Failed(refusal::read(body).message));
    }
    let whole = Whole::deserialize(whole).map_err(|error| WireError::broken(PROVIDER, &error))?;
    let mut answer = Answer::default();
    let mut calls = 0;
    for block in whole.content {
        match block {
            ContentBlock::Text { text } => answer.text.push_str(&text),
            ContentBlock::Thinking { thinking } => answer.reasoning.push_str(&thinking),
            ContentBlock::ToolUse { name, input, .. } if name == JSON_TOOL => {
                answer.text.push_str(&input.to_string());
            }
            ContentBlock::ToolUse { id, name, input } => {
                let arguments = input.to_string();
                answer.call(Call {
                    index: calls,
                    id: &id,
                    name: &name,
                    arguments: &arguments,
                    signature: None,
                });
                calls += 1;
            }
            ContentBlock::Unknown => {}
        }
    }
    let spent = whole.usage.map(Spent::from);
    let finish = finish(whole.stop_reason.as_deref().unwrap_or_default(), calls);
    Ok((head.completion(answer, finish, spent), spent.map(|spent| spent.usage)))
}

/// Why the model stopped, in OpenAI's words. Calling nothing but the tool that is the answer is just an end.
fn finish(reason: &str, calls: u32) -> &'static str {
    match reason {
        "tool_use" if calls > 0 => "tool_calls",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "refusal" => "content_filter",
        // end_turn, stop_sequence, pause_turn, and what comes later.
        _ => "stop",
    }
}

// === impl Stream ===

impl Stream {
    pub(in super::super) fn new(head: Head) -> Self {
        Self { head, used: Used::default(), block: Block::Plain, calls: 0 }
    }

    pub(in super::super) fn piece(&mut self, data: &str) -> Result<Piece, WireError> {
        let event: Event = serde_json::from_str(data).map_err(|error| WireError::broken(PROVIDER, &error))?;
        let mut piece = Piece::default();
        match event {
            Event::MessageStart { message } => {
                self.used = message.usage;
                piece.usage = Some(Spent::from(self.used).usage);
            }
            Event::ContentBlockStart { content_block } => self.open(&mut piece, content_block),
            Event::ContentBlockDelta { delta } => self.delta(&mut piece, &delta),
            Event::ContentBlockStop => {
                // A call without arguments has no deltas, or an empty one.
                if let Block::Call { index, bare: true } = self.block {
                    self.head.write(&mut piece, Wrote::Arguments { index, text: "{}" });
                }
                self.block = Block::Plain;
            }
            Event::MessageDelta { delta, usage } => {
                self.used.update(usage);
                piece.usage = Some(Spent::from(self.used).usage);
                if let Some(reason) = delta.stop_reason {
                    self.head.finish(&mut piece, finish(&reason, self.calls));
                }
            }
            Event::MessageStop => {
                self.head.spent(&mut piece, self.used.into());
                piece.done = true;
            }
            Event::Error { error } => {
                return Err(WireError::Failed(refusal::read(error.to_string().as_bytes()).message));
            }
            Event::Unknown => {}
        }
        Ok(piece)
    }

    fn open(&mut self, piece: &mut Piece, block: ContentBlock) {
        self.block = Block::Plain;
        match block {
            ContentBlock::Text { text } if !text.is_empty() => self.head.write(piece, Wrote::Text(&text)),
            ContentBlock::Thinking { thinking } if !thinking.is_empty() => {
                self.head.write(piece, Wrote::Reasoning(&thinking));
            }
            ContentBlock::ToolUse { name, .. } if name == JSON_TOOL => self.block = Block::Json,
            // Its input is empty here: it comes in deltas.
            ContentBlock::ToolUse { id, name, .. } => {
                let index = self.calls;
                self.calls += 1;
                self.block = Block::Call { index, bare: true };
                self.head.write(
                    piece,
                    Wrote::Call(Call { index, id: &id, name: &name, arguments: "", signature: None }),
                );
            }
            ContentBlock::Text { .. } | ContentBlock::Thinking { .. } | ContentBlock::Unknown => {}
        }
    }

    fn delta(&mut self, piece: &mut Piece, delta: &Delta) {
        let wrote = match (delta, self.block) {
            (Delta::Text { text }, _) => Wrote::Text(text),
            (Delta::Thinking { thinking }, _) => Wrote::Reasoning(thinking),
            (Delta::InputJson { partial_json }, Block::Json) => Wrote::Text(partial_json),
            (Delta::InputJson { partial_json }, Block::Call { index, bare }) => {
                self.block = Block::Call { index, bare: bare && partial_json.is_empty() };
                Wrote::Arguments { index, text: partial_json }
            }
            // The input of a tool that ran at the provider.
            (Delta::InputJson { .. }, Block::Plain) | (Delta::Unknown, _) => return,
        };
        if !wrote.is_empty() {
            self.head.write(piece, wrote);
        }
    }
}

// === impl Used ===

impl Used {
    fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
    }
}

impl From<Used> for Spent {
    fn from(used: Used) -> Self {
        // Anthropic counts what came from a cache, or went into it, beside the input.
        let prompt = [used.input_tokens, used.cache_creation_input_tokens, used.cache_read_input_tokens]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add);
        let usage = Usage { prompt, completion: used.output_tokens.unwrap_or_default() };
        Self { usage, cached: used.cache_read_input_tokens, reasoning: None }
    }
}
