//! A streamed answer, put together: chunks go in, the `chat.completion` of them comes out.
//!
//! Strings grow, calls of tools are matched by their index, and of everything else the last word counts. Fields of a
//! provider's own stay, except those of single deltas that nobody documents how to join.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{WireError, chunk, refusal};

/// As many answers as one may ask for.
const CHOICES_MAX: usize = 128;

/// A model that calls more tools in one breath has lost its way.
const CALLS_MAX: usize = 1024;

/// The longest answers of today are some 128,000 tokens, half a megabyte. Chunks are held to sixteen times that.
const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Puts chunks together.
#[derive(Debug, Default)]
pub struct Assembler {
    /// `id`, `created`, `model`, and what else stands beside the choices.
    top: Map<String, Value>,
    choices: BTreeMap<u64, Choice>,
    usage: Option<Value>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Choice {
    text: String,
    reasoning: String,
    refusal: String,
    calls: BTreeMap<u64, Map<String, Value>>,
    /// Lists of what each token could have been: `content` and `refusal`.
    logprobs: Option<Map<String, Value>>,
    finish: Value,
}

// === impl Assembler ===

impl Assembler {
    /// Takes the next chunk, as JSON text. `[DONE]` adds nothing.
    pub fn take(&mut self, chunk: &str) -> Result<(), WireError> {
        if chunk.trim() == "[DONE]" {
            return Ok(());
        }
        let chunk: Map<String, Value> =
            serde_json::from_str(chunk).map_err(|error| WireError::broken("the provider", &error))?;
        for (name, value) in chunk {
            match (name.as_str(), value) {
                ("error", error) if !error.is_null() => {
                    return Err(WireError::Failed(refusal::read(error.to_string().as_bytes()).message));
                }
                ("choices", Value::Array(choices)) => {
                    choices.into_iter().try_for_each(|choice| self.choice(choice))?;
                }
                ("usage", usage @ Value::Object(_)) => self.usage = Some(usage),
                ("object" | "choices" | "usage" | "error", _) => {}
                (_, value) => {
                    // The first name of an answer stays its name.
                    self.top.entry(name).or_insert(value);
                }
            }
        }
        Ok(())
    }

    /// The whole answer.
    pub fn finish(self) -> Value {
        let mut top = self.top;
        let mut body = Map::new();
        body.insert("id".to_owned(), top.shift_remove("id").unwrap_or_default());
        body.insert("object".to_owned(), "chat.completion".into());
        body.insert("created".to_owned(), top.shift_remove("created").unwrap_or_default());
        body.insert("model".to_owned(), top.shift_remove("model").unwrap_or_default());
        let choices: Vec<Value> =
            self.choices.into_iter().map(|(index, choice)| choice.finish(index)).collect();
        body.insert("choices".to_owned(), choices.into());
        if let Some(usage) = self.usage {
            body.insert("usage".to_owned(), usage);
        }
        body.extend(top);
        body.into()
    }

    fn choice(&mut self, choice: Value) -> Result<(), WireError> {
        let Value::Object(mut choice) = choice else {
            return Err(WireError::Broken(
                "the provider sent a chunk with a choice that is no object".to_owned(),
            ));
        };
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or_default();
        if !self.choices.contains_key(&index) && self.choices.len() == CHOICES_MAX {
            return Err(too_much("answers"));
        }
        let to = self.choices.entry(index).or_default();
        if let Some(reason) = choice.remove("finish_reason").filter(|reason| !reason.is_null()) {
            to.finish = reason;
        }
        if let Some(Value::Object(logprobs)) = choice.remove("logprobs") {
            let entries = to.logprobs.get_or_insert_default();
            for (name, list) in logprobs {
                self.bytes += list.as_array().map_or(0, Vec::len) * size_of::<Value>();
                join_lists(entries, name, list);
            }
        }
        if let Some(Value::Object(delta)) = choice.remove("delta") {
            self.bytes += to.delta(delta)?;
        }
        if self.bytes > TEXT_BYTES_MAX { Err(too_much("text")) } else { Ok(()) }
    }
}

fn too_much(what: &str) -> WireError {
    WireError::Broken(format!("the provider sent more {what} than one answer can have"))
}

fn join_lists(to: &mut Map<String, Value>, name: String, more: Value) {
    match (to.get_mut(&name), more) {
        (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
        (_, more) => {
            to.insert(name, more);
        }
    }
}

// === impl Choice ===

impl Choice {
    /// Adds a delta; gives how many bytes of text were in it.
    fn delta(&mut self, delta: Map<String, Value>) -> Result<usize, WireError> {
        let mut bytes = 0;
        for (name, value) in delta {
            let to = match name.as_str() {
                "content" => &mut self.text,
                // vLLM's and OpenRouter's name, of which only one is used at a time.
                "reasoning_content" | "reasoning" => &mut self.reasoning,
                "refusal" => &mut self.refusal,
                "tool_calls" => {
                    let Value::Array(calls) = value else {
                        continue;
                    };
                    for call in calls {
                        bytes += self.call(call)?;
                    }
                    continue;
                }
                _ => continue,
            };
            if let Value::String(text) = value {
                bytes += text.len();
                to.push_str(&text);
            }
        }
        Ok(bytes)
    }

    /// Adds a call, or more of one.
    fn call(&mut self, call: Value) -> Result<usize, WireError> {
        let Value::Object(mut call) = call else {
            return Err(WireError::Broken("the provider sent a tool call that is no object".to_owned()));
        };
        let last = self.calls.last_key_value().map(|(index, _)| *index);
        // Some give no index: then an id begins a new call, and what has none is more of the last.
        let index = match (call.remove("index").and_then(|index| index.as_u64()), last) {
            (Some(index), _) => index,
            (None, None) => 0,
            (None, Some(last)) => {
                last.saturating_add(u64::from(call.get("id").is_some_and(Value::is_string)))
            }
        };
        if !self.calls.contains_key(&index) && self.calls.len() == CALLS_MAX {
            return Err(too_much("tool calls"));
        }
        let to = self.calls.entry(index).or_insert_with(|| {
            let mut call = Map::new();
            call.insert("id".to_owned(), Value::Null);
            call.insert("type".to_owned(), "function".into());
            call.insert("function".to_owned(), json!({"name": "", "arguments": ""}));
            call
        });
        let mut bytes = 0;
        if let Some(Value::Object(function)) = call.remove("function") {
            for (name, part) in function {
                let Value::String(part) = part else {
                    continue;
                };
                bytes += part.len();
                match &mut to["function"][name.as_str()] {
                    Value::String(text) if name == "arguments" => text.push_str(&part),
                    // Whole each time: some repeat it in every delta, or send it empty.
                    slot if !part.is_empty() => *slot = part.into(),
                    _ => {}
                }
            }
        }
        to.extend(call.into_iter().filter(|(_, value)| !value.is_null() && value != ""));
        Ok(bytes)
    }

    fn finish(self, index: u64) -> Value {
        let calls = self.calls.into_values().map(Value::Object).collect();
        let mut message = chunk::message(self.text, self.reasoning, calls);
        if !self.refusal.is_empty() {
            message["content"] = Value::Null;
            message["refusal"] = self.refusal.into();
        }
        let mut choice = json!({"index": index, "message": message, "finish_reason": self.finish});
        if let Some(logprobs) = self.logprobs {
            choice["logprobs"] = logprobs.into();
        }
        choice
    }
}
