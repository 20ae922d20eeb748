//! Whether a chat is well-formed, before anything is spent on it.
//!
//! Only shapes are checked, and only those that every provider shares. What a model makes of a value is its provider's
//! to say.

/// Fields of a chat that any caller may set; no alias can list them among those that it lets through.
pub use cluster_config::models::CHAT_FIELDS as KNOWN;
use serde_json::{Map, Value};

use super::WireError;
use super::message::{read, wrong};

/// OpenAI's own bound, and one on what a single call can cost.
const ANSWERS_MAX: u64 = 128;

/// A catalogue of tools is text in the prompt; OpenAI's bound, too.
const TOOLS_MAX: usize = 128;

/// Checks messages and the known options; the error names the first place that is wrong.
pub fn check(messages: &Value, options: &Map<String, Value>) -> Result<(), WireError> {
    let Some(messages) = messages.as_array() else {
        return Err(wrong("messages", "must be an array of messages"));
    };
    read(messages)?;
    options.iter().filter(|(_, value)| !value.is_null()).try_for_each(|(name, value)| option(name, value))
}

fn option(name: &str, value: &Value) -> Result<(), WireError> {
    let wrong = |what: &str| Err(wrong(name, what));
    match name {
        "max_tokens" | "max_completion_tokens" => match value.as_u64() {
            Some(1..) => Ok(()),
            _ => wrong("must be a positive integer"),
        },
        "n" => match value.as_u64() {
            Some(1..=ANSWERS_MAX) => Ok(()),
            _ => wrong("must be an integer from 1 to 128"),
        },
        "seed" if value.as_i64().is_none() => wrong("must be an integer"),
        "temperature" => within(value, 0.0..=2.0).map_or_else(|| wrong("must be a number from 0 to 2"), Ok),
        "top_p" => within(value, 0.0..=1.0).map_or_else(|| wrong("must be a number from 0 to 1"), Ok),
        "presence_penalty" | "frequency_penalty" => {
            within(value, -2.0..=2.0).map_or_else(|| wrong("must be a number from -2 to 2"), Ok)
        }
        "logprobs" | "parallel_tool_calls" | "store" if !value.is_boolean() => wrong("must be true or false"),
        "top_logprobs" if !matches!(value.as_u64(), Some(0..=20)) => wrong("must be an integer from 0 to 20"),
        "stop" => match value {
            Value::String(_) => Ok(()),
            Value::Array(stops) if stops.iter().all(Value::is_string) => Ok(()),
            _ => wrong("must be a string or an array of strings"),
        },
        "logit_bias" | "metadata" | "stream_options" if !value.is_object() => wrong("must be an object"),
        "reasoning_effort" | "user" | "verbosity" | "prompt_cache_key" | "safety_identifier"
            if !value.is_string() =>
        {
            wrong("must be a string")
        }
        "response_format" if value.get("type").is_none_or(|kind| !kind.is_string()) => {
            wrong("must be an object with 'type': text, json_object or json_schema")
        }
        "tool_choice" if !value.is_string() && !value.is_object() => {
            wrong("must be auto, none, required, or an object that names a function")
        }
        "tools" => tools(value),
        _ => Ok(()),
    }
}

fn within(value: &Value, range: std::ops::RangeInclusive<f64>) -> Option<()> {
    value.as_f64().is_some_and(|number| range.contains(&number)).then_some(())
}

fn tools(value: &Value) -> Result<(), WireError> {
    let Some(tools) = value.as_array() else {
        return Err(wrong("tools", "must be an array"));
    };
    if tools.len() > TOOLS_MAX {
        return Err(wrong("tools", format_args!("must be at most {TOOLS_MAX}, not {}", tools.len())));
    }
    for (index, tool) in tools.iter().enumerate() {
        let Some(kind) = tool.get("type").and_then(Value::as_str) else {
            return Err(wrong(format_args!("tools[{index}].type"), "must be a string: function"));
        };
        if kind != "function" {
            continue;
        }
        let name = tool.pointer("/function/name").and_then(Value::as_str);
        if name.is_none_or(str::is_empty) {
            return Err(wrong(format_args!("tools[{index}].function.name"), "must be a non-empty string"));
        }
        let parameters = tool.pointer("/function/parameters");
        if parameters.is_some_and(|parameters| !parameters.is_object() && !parameters.is_null()) {
            return Err(wrong(
                format_args!("tools[{index}].function.parameters"),
                "must be a JSON Schema object",
            ));
        }
    }
    Ok(())
}
