//! The options of a chat on their way to a provider with other words. Each is taken by the adapter that can express
//! it; what nobody took is left out where that changes nothing, handed on where the alias allowed it, and else refused.

use serde_json::{Map, Value};

use super::check::KNOWN;
use super::message::{given, wrong};
use super::{Chat, WireError};

/// Fields that tell OpenAI's service something and the model nothing.
const HARMLESS: &[&str] =
    &["metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store", "stream_options", "user"];

/// Options that are not taken yet.
#[derive(Debug)]
pub(super) struct Options<'a> {
    provider: &'static str,
    left: Vec<(&'a str, &'a Value)>,
}

/// A tool that the model may call.
#[derive(Debug)]
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    pub(super) description: Option<&'a Value>,
    /// JSON Schema of the arguments.
    pub(super) parameters: Option<&'a Value>,
    pub(super) strict: bool,
}

/// Which tools the model may or must call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolChoice<'a> {
    Auto,
    None,
    Required,
    Named(&'a str),
}

/// What the answer's text must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format<'a> {
    Text,
    /// Any JSON object.
    Object,
    /// JSON of this schema.
    Schema(&'a Value),
}

// === impl Options ===

impl<'a> Options<'a> {
    /// Options for a provider whose name errors say. What asks for that which happens anyway is not one: some models
    /// refuse even a penalty of zero.
    pub(super) fn new(provider: &'static str, options: &'a Map<String, Value>) -> Self {
        let left = options.iter().filter(|(name, value)| !value.is_null() && !says_nothing(name, value));
        Self { provider, left: left.map(|(name, value)| (name.as_str(), value)).collect() }
    }

    /// Takes one option.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a Value> {
        let index = self.left.iter().position(|(left, _)| *left == name)?;
        Some(self.left.swap_remove(index).1)
    }

    /// Copies an option under the provider's name for it.
    pub(super) fn copy(&mut self, name: &str, to: &mut Map<String, Value>, as_name: &str) {
        if let Some(value) = self.take(name) {
            to.insert(as_name.to_owned(), value.clone());
        }
    }

    /// How much may be written. The newer name wins, as it does at OpenAI.
    pub(super) fn max_tokens(&mut self) -> Option<u64> {
        let old = self.take("max_tokens").and_then(Value::as_u64);
        self.take("max_completion_tokens").and_then(Value::as_u64).or(old)
    }

    /// Where to stop: one text or several, as a list.
    pub(super) fn stop(&mut self) -> Option<Value> {
        self.take("stop").map(|stop| match stop {
            Value::Array(_) => stop.clone(),
            one => Value::Array(vec![one.clone()]),
        })
    }

    /// The functions that may be called; other kinds of tools run at OpenAI alone.
    pub(super) fn tools(&mut self) -> Result<Vec<Tool<'a>>, WireError> {
        let Some(tools) = self.take("tools").and_then(Value::as_array) else {
            return Ok(Vec::new());
        };
        let read = |(index, tool): (usize, &'a Value)| {
            let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
            let function = tool.get("function").and_then(Value::as_object);
            let (Some(function), "function") = (function, kind) else {
                let what = format!("is of type '{kind}', which is not supported by {} models", self.provider);
                return Err(wrong(format_args!("tools[{index}]"), what));
            };
            Ok(Tool {
                name: function.get("name").and_then(Value::as_str).unwrap_or_default(),
                description: given(function, "description"),
                parameters: given(function, "parameters"),
                strict: function.get("strict") == Some(&Value::Bool(true)),
            })
        };
        tools.iter().enumerate().map(read).collect()
    }

    /// Which of them; take it after the tools.
    pub(super) fn tool_choice(&mut self, tools: &[Tool<'_>]) -> Result<ToolChoice<'a>, WireError> {
        let Some(choice) = self.take("tool_choice") else {
            return Ok(ToolChoice::Auto);
        };
        let choice = match choice.as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            _ => {
                let named = choice.pointer("/function/name").and_then(Value::as_str);
                let what = || {
                    format!("must be auto, none, required or a function's name for {} models", self.provider)
                };
                ToolChoice::Named(named.ok_or_else(|| wrong("'tool_choice'", what()))?)
            }
        };
        match choice {
            ToolChoice::Required if tools.is_empty() => {
                Err(wrong("'tool_choice'", "is required, but there are no 'tools'"))
            }
            ToolChoice::Named(name) if tools.iter().all(|tool| tool.name != name) => {
                Err(wrong("'tool_choice'", "names a function that is not among the 'tools'"))
            }
            choice => Ok(choice),
        }
    }

    /// Whether several tools may be called at once; `true` unless the caller says no.
    pub(super) fn parallel_tool_calls(&mut self) -> bool {
        self.take("parallel_tool_calls").and_then(Value::as_bool).unwrap_or(true)
    }

    /// What the answer must look like.
    pub(super) fn format(&mut self) -> Result<Format<'a>, WireError> {
        let Some(format) = self.take("response_format") else {
            return Ok(Format::Text);
        };
        match format.get("type").and_then(Value::as_str) {
            Some("text") => Ok(Format::Text),
            Some("json_object") => Ok(Format::Object),
            Some("json_schema") => match format.pointer("/json_schema/schema") {
                Some(schema) if schema.is_object() => Ok(Format::Schema(schema)),
                _ => Err(wrong("response_format.json_schema.schema", "must be an object")),
            },
            _ => Err(wrong(
                "response_format.type",
                format_args!("must be text, json_object or json_schema for {} models", self.provider),
            )),
        }
    }

    /// How hard to think, if the caller says so.
    pub(super) fn effort(&mut self) -> Option<&'a str> {
        self.take("reasoning_effort").and_then(Value::as_str)
    }

    /// An effort that this provider does not have.
    pub(super) fn no_effort(&self, effort: &str, known: &str) -> WireError {
        wrong(
            "'reasoning_effort'",
            format_args!("of '{effort}' is not supported by this {} model: {known}", self.provider),
        )
    }

    /// This provider has nothing like it.
    pub(super) fn unsupported(&self, name: &str) -> WireError {
        wrong(format_args!("'{name}'"), format_args!("is not supported by {} models", self.provider))
    }

    /// Ends the translation: what is left is left out, refused, or, where the alias let it through, part of `body`.
    pub(super) fn finish(self, body: &mut Map<String, Value>) -> Result<(), WireError> {
        for &(name, value) in &self.left {
            if HARMLESS.contains(&name) {
                continue;
            }
            if KNOWN.contains(&name) {
                return Err(self.unsupported(name));
            }
            add(body, name, name, value)?;
        }
        Ok(())
    }
}

/// Whether an option asks for what happens anyway.
fn says_nothing(name: &str, value: &Value) -> bool {
    match name {
        "n" => value.as_u64() == Some(1),
        "logprobs" => value == &Value::Bool(false),
        "top_logprobs" => value.as_u64() == Some(0),
        "presence_penalty" | "frequency_penalty" => value.as_f64() == Some(0.0),
        "logit_bias" => value.as_object().is_some_and(Map::is_empty),
        "parallel_tool_calls" => value == &Value::Bool(true),
        "verbosity" => value == "medium",
        "modalities" => value.as_array().is_some_and(|list| list.iter().all(|one| one == "text")),
        _ => false,
    }
}

/// Adds a field that the alias allows. Objects grow into one another, so that Gemini's `generationConfig` or Ollama's
/// `options` can be extended; what this proxy wrote itself, it keeps, and says so.
fn add(to: &mut Map<String, Value>, path: &str, name: &str, value: &Value) -> Result<(), WireError> {
    match (to.get_mut(name), value) {
        (None, _) => {
            to.insert(name.to_owned(), value.clone());
            Ok(())
        }
        (Some(Value::Object(inner)), Value::Object(fields)) => {
            fields.iter().try_for_each(|(name, value)| add(inner, &format!("{path}.{name}"), name, value))
        }
        (Some(_), _) => {
            Err(wrong(format_args!("'{path}'"), "is set from the chat's other fields: leave it out"))
        }
    }
}

// === impl Chat ===

impl<'a> Chat<'a> {
    pub(super) fn options(&self, provider: &'static str) -> Options<'a> {
        Options::new(provider, self.options)
    }
}
