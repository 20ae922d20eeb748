//! Ollama's answer, or the lines of a streamed one, in OpenAI's shapes. The last line has `done` and the counts.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::chunk::{Answer, Call, Head, Spent, Wrote};
use super::super::{Piece, Usage, WireError, refusal, text};
use super::PROVIDER;

/// Translates a stream.
#[derive(Debug)]
pub(in super::super) struct Stream {
    head: Head,
    /// Tool calls so far.
    calls: u32,
}

/// A line; a whole answer is a single one.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    /// Older servers leave it out when the whole prompt was still in the cache.
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    #[serde(default)]
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

pub(in super::super) fn completion(body: &[u8], head: Head) -> Result<(Value, Option<Usage>), WireError> {
    let line = parse(text(PROVIDER, body)?)?;
    let Some(message) = line.message else {
        return Err(WireError::Broken(format!("{PROVIDER} sent an answer without a message")));
    };
    let spent = Spent::read(line.prompt_eval_count, line.eval_count);
    let reasoning = message.thinking.unwrap_or_default();
    let mut answer = Answer { text: message.content, reasoning, ..Answer::default() };
    let mut calls = 0;
    for call in message.tool_calls.unwrap_or_default() {
        let (id, arguments) = call.ready(&head, calls);
        answer.call(Call {
            index: calls,
            id: &id,
            name: &call.function.name,
            arguments: &arguments,
            signature: None,
        });
        calls += 1;
    }
    let finish = finish(line.done_reason.as_deref(), calls);
    Ok((head.completion(answer, finish, spent), spent.map(|spent| spent.usage)))
}

fn parse(data: &str) -> Result<Line, WireError> {
    let line: Line = serde_json::from_str(data).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if line.error.is_some() {
        return Err(WireError::Failed(refusal::read(data.as_bytes()).message));
    }
    Ok(line)
}

fn finish(reason: Option<&str>, calls: u32) -> &'static str {
    match reason {
        Some("length") => "length",
        _ if calls > 0 => "tool_calls",
        // `stop`, and `load` and `unload`, which answer a chat of nothing.
        _ => "stop",
    }
}

// === impl Stream ===

impl Stream {
    pub(in super::super) fn new(head: Head) -> Self {
        Self { head, calls: 0 }
    }

    pub(in super::super) fn piece(&mut self, data: &str) -> Result<Piece, WireError> {
        let line = parse(data)?;
        let mut piece = Piece::default();
        let message = line.message.unwrap_or_default();
        for wrote in
            [Wrote::Reasoning(message.thinking.as_deref().unwrap_or_default()), Wrote::Text(&message.content)]
        {
            if !wrote.is_empty() {
                self.head.write(&mut piece, wrote);
            }
        }
        for call in message.tool_calls.unwrap_or_default() {
            let index = self.calls;
            self.calls += 1;
            let (id, arguments) = call.ready(&self.head, index);
            let name = &call.function.name;
            self.head.write(
                &mut piece,
                Wrote::Call(Call { index, id: &id, name, arguments: &arguments, signature: None }),
            );
        }
        if line.done {
            self.head.finish(&mut piece, finish(line.done_reason.as_deref(), self.calls));
            if let Some(spent) = Spent::read(line.prompt_eval_count, line.eval_count) {
                self.head.spent(&mut piece, spent);
            }
            piece.done = true;
        }
        Ok(piece)
    }
}

// === impl ToolCall ===

impl ToolCall {
    /// The id and the arguments as text. Older servers name no calls.
    fn ready(&self, head: &Head, index: u32) -> (String, String) {
        let id = self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| head.call_id(index));
        let arguments =
            serde_json::to_string(&self.function.arguments).expect("a map of JSON values has a JSON form");
        (id, arguments)
    }
}

// === impl Spent ===

impl Spent {
    /// `None` unless both were counted: half of a sum would pass for the whole.
    fn read(prompt: Option<u64>, completion: Option<u64>) -> Option<Self> {
        let usage = Usage { prompt: prompt?, completion: completion? };
        Some(Self { usage, ..Self::default() })
    }
}
