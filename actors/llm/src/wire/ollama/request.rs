//! A chat in OpenAI's shape as one of Ollama's. Messages go one to one; what samples is in `options`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::message::{Call, Content, Part, Said, Source, read, text_of, wrong};
use super::super::options::{Format, Options, Tool, ToolChoice};
use super::super::{Chat, Outgoing, WireError};
use super::PROVIDER;

pub(in super::super) fn chat(chat: &Chat<'_>) -> Result<Outgoing, WireError> {
    let mut options = chat.options(PROVIDER);
    let mut body = Map::new();
    body.insert("model".to_owned(), chat.model.into());
    body.insert("messages".to_owned(), messages(chat.messages)?.into());
    // It streams unless told not to.
    body.insert("stream".to_owned(), chat.stream.into());
    tools(&mut options, &mut body)?;
    match options.format()? {
        Format::Text => {}
        Format::Object => {
            body.insert("format".to_owned(), "json".into());
        }
        Format::Schema(schema) => {
            body.insert("format".to_owned(), schema.clone());
        }
    }
    if let Some(effort) = options.effort() {
        // Models that only know on and off take any level for on.
        let think = match effort {
            "none" => Value::Bool(false),
            "minimal" => "low".into(),
            "low" | "medium" | "high" => effort.into(),
            _ => return Err(options.no_effort(effort, "choose none, minimal, low, medium or high")),
        };
        body.insert("think".to_owned(), think);
    }
    let sampling = sampling(&mut options);
    if !sampling.is_empty() {
        body.insert("options".to_owned(), sampling.into());
    }
    options.finish(&mut body)?;
    Ok(Outgoing { path: "/api/chat".to_owned(), body: body.into() })
}

// === messages ===

fn messages(messages: &[Value]) -> Result<Vec<Value>, WireError> {
    let messages = read(messages)?;
    let mut names: HashMap<&str, &str> = HashMap::new();
    messages
        .iter()
        .map(|message| match &message.said {
            Said::System(parts) => said("system", parts),
            Said::User(parts) => said("user", parts),
            Said::Assistant { parts, reasoning, calls } => {
                let mut value = said("assistant", parts)?;
                if let Some(reasoning) = reasoning {
                    value["thinking"] = (*reasoning).into();
                }
                names.extend(calls.iter().map(|call| (call.id, call.name)));
                if !calls.is_empty() {
                    value["tool_calls"] = calls.iter().map(tool_call).collect::<Result<Vec<_>, _>>()?.into();
                }
                Ok(value)
            }
            Said::Tool { call, parts } => {
                let mut value = said("tool", parts)?;
                value["tool_call_id"] = (*call).into();
                if let Some(name) = names.get(call) {
                    value["tool_name"] = (*name).into();
                }
                Ok(value)
            }
        })
        .collect()
}

/// Text is one string, and pictures stand beside it.
fn said(role: &str, parts: &[Part<'_>]) -> Result<Value, WireError> {
    if let Some(text) = text_of(parts) {
        return Ok(json!({"role": role, "content": text.join("\n")}));
    }
    let (mut text, mut images) = (Vec::new(), Vec::new());
    for part in parts {
        match &part.content {
            Content::Text(said) => text.push(*said),
            Content::Image(Source::Inline { data, .. }) => images.push(*data),
            Content::Image(Source::Remote(_)) => {
                return Err(wrong(
                    part.place,
                    format_args!("is an address, and {PROVIDER} fetches nothing: send a data: URL"),
                ));
            }
            _ => return Err(part.unsupported(PROVIDER)),
        }
    }
    Ok(json!({"role": role, "content": text.join("\n"), "images": images}))
}

fn tool_call(call: &Call<'_>) -> Result<Value, WireError> {
    Ok(json!({"id": call.id, "function": {"name": call.name, "arguments": call.arguments()?}}))
}

// === options ===

/// Tools are OpenAI's. Which one is called cannot be chosen; to choose none, they are not sent.
fn tools(options: &mut Options<'_>, body: &mut Map<String, Value>) -> Result<(), WireError> {
    let tools = options.tools()?;
    match options.tool_choice(&tools)? {
        ToolChoice::None => return Ok(()),
        ToolChoice::Auto => {}
        ToolChoice::Required | ToolChoice::Named(_) => return Err(options.unsupported("tool_choice")),
    }
    if tools.is_empty() {
        return Ok(());
    }
    if !options.parallel_tool_calls() {
        return Err(options.unsupported("parallel_tool_calls"));
    }
    body.insert("tools".to_owned(), tools.iter().map(tool).collect::<Vec<_>>().into());
    Ok(())
}

fn tool(tool: &Tool<'_>) -> Value {
    let mut function = json!({"name": tool.name});
    if let Some(description) = tool.description {
        function["description"] = description.clone();
    }
    function["parameters"] =
        tool.parameters.cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    json!({"type": "function", "function": function})
}

fn sampling(options: &mut Options<'_>) -> Map<String, Value> {
    let mut sampling = Map::new();
    for name in ["temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"] {
        options.copy(name, &mut sampling, name);
    }
    if let Some(max_tokens) = options.max_tokens() {
        sampling.insert("num_predict".to_owned(), max_tokens.into());
    }
    if let Some(stop) = options.stop() {
        sampling.insert("stop".to_owned(), stop);
    }
    sampling
}
