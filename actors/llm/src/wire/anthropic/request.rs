//! A chat in OpenAI's shape as a request for a message.
//!
//! Anthropic has two roles that alternate. System messages leave the conversation; results of tools are said by the
//! user; neighbours of one role become one turn.

use serde_json::{Map, Value, json};

use super::super::message::{Call, Content, Message, Part, Said, Source, read, text_of, wrong};
use super::super::options::{Format, Options, Tool, ToolChoice};
use super::super::{Chat, Outgoing, WireError};
use super::{JSON_TOOL, PROVIDER};

/// How much may be written where the caller sets no bound, which Anthropic wants: what its smallest model can write.
const MAX_TOKENS_DEFAULT: u64 = 4096;

pub(in super::super) fn chat(chat: &Chat<'_>) -> Result<Outgoing, WireError> {
    let messages = read(chat.messages)?;
    let mut options = chat.options(PROVIDER);
    let mut body = Map::new();
    body.insert("model".to_owned(), chat.model.into());
    body.insert("max_tokens".to_owned(), options.max_tokens().unwrap_or(MAX_TOKENS_DEFAULT).into());
    if let Some(system) = system(&messages)? {
        body.insert("system".to_owned(), system.into());
    }
    body.insert("messages".to_owned(), turns(&messages)?.into());
    if chat.stream {
        body.insert("stream".to_owned(), true.into());
    }
    sampling(&mut options, &mut body)?;
    tools_and_format(&mut options, &mut body)?;
    thinking(&mut options, &mut body)?;
    if let Some(user) = options.take("user") {
        body.insert("metadata".to_owned(), json!({"user_id": user}));
    }
    options.finish(&mut body)?;
    Ok(Outgoing { path: "/messages".to_owned(), body: body.into() })
}

// === messages ===

/// All system messages, wherever they stand, as one text.
fn system(messages: &[Message<'_>]) -> Result<Option<String>, WireError> {
    let mut texts = Vec::new();
    for message in messages {
        let Said::System(parts) = &message.said else {
            continue;
        };
        match text_of(parts) {
            Some(text) => texts.extend(text.into_iter().filter(|text| !text.is_empty())),
            None => return Err(wrong(message.place, "of a system message must be text")),
        }
    }
    Ok((!texts.is_empty()).then(|| texts.join("\n\n")))
}

fn turns(messages: &[Message<'_>]) -> Result<Vec<Value>, WireError> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = match &message.said {
            Said::System(_) => continue,
            Said::User(parts) => {
                let blocks = blocks(parts)?;
                if blocks.is_empty() {
                    return Err(wrong(
                        message.place,
                        format_args!("is empty, which {PROVIDER} models do not take"),
                    ));
                }
                ("user", blocks)
            }
            Said::Assistant { parts, calls, .. } => {
                let mut blocks = blocks(parts)?;
                for call in calls {
                    blocks.push(tool_use(call)?);
                }
                ("assistant", blocks)
            }
            Said::Tool { call, parts } => ("user", vec![tool_result(call, parts)?]),
        };
        match turns.last_mut() {
            Some((last, said)) if *last == role => said.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => turns.push((role, blocks)),
        }
    }
    Ok(turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect())
}

/// Content blocks; empty texts, which the API refuses, are left out.
fn blocks(parts: &[Part<'_>]) -> Result<Vec<Value>, WireError> {
    parts.iter().filter(|part| !matches!(part.content, Content::Text(""))).map(block).collect()
}

fn block(part: &Part<'_>) -> Result<Value, WireError> {
    Ok(match &part.content {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Image(from) => json!({"type": "image", "source": source(from)}),
        Content::File(from) => json!({"type": "document", "source": source(from)}),
        Content::Audio { .. } | Content::Other(_) => return Err(part.unsupported(PROVIDER)),
    })
}

fn source(from: &Source<'_>) -> Value {
    match from {
        Source::Inline { mime, data } => json!({"type": "base64", "media_type": mime, "data": data}),
        Source::Remote(url) => json!({"type": "url", "url": url}),
    }
}

fn tool_use(call: &Call<'_>) -> Result<Value, WireError> {
    Ok(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments()?}))
}

fn tool_result(call: &str, parts: &[Part<'_>]) -> Result<Value, WireError> {
    let content = match text_of(parts) {
        Some(text) => text.concat().into(),
        None => Value::from(blocks(parts)?),
    };
    Ok(json!({"type": "tool_result", "tool_use_id": call, "content": content}))
}

// === options ===

fn sampling(options: &mut Options<'_>, body: &mut Map<String, Value>) -> Result<(), WireError> {
    if let Some(temperature) = options.take("temperature") {
        if temperature.as_f64().is_some_and(|number| number > 1.0) {
            return Err(wrong("'temperature'", format_args!("must be from 0 to 1 for {PROVIDER} models")));
        }
        body.insert("temperature".to_owned(), temperature.clone());
    }
    options.copy("top_p", body, "top_p");
    if let Some(stop) = options.stop() {
        body.insert("stop_sequences".to_owned(), stop);
    }
    Ok(())
}

/// Tools, which of them, and what form the answer has, for that may be a tool too ([`JSON_TOOL`]).
fn tools_and_format(options: &mut Options<'_>, body: &mut Map<String, Value>) -> Result<(), WireError> {
    let tools = options.tools()?;
    let mut choice = options.tool_choice(&tools)?;
    let parallel = options.parallel_tool_calls();
    let mut list: Vec<Value> = tools.iter().map(tool).collect();
    match options.format()? {
        Format::Text => {}
        Format::Schema(schema) => {
            body.insert(
                "output_config".to_owned(),
                json!({"format": {"type": "json_schema", "schema": schema}}),
            );
        }
        Format::Object => {
            if tools.iter().any(|tool| tool.name == JSON_TOOL) {
                return Err(wrong(
                    "'tools'",
                    format_args!("must not have one named {JSON_TOOL} beside 'response_format' json_object"),
                ));
            }
            list.push(json!({
                "name": JSON_TOOL,
                "description": "Gives the answer to the user, as one JSON object.",
                "input_schema": {"type": "object"},
            }));
            // With tools of the caller's own, calling one of them is as good as answering.
            choice = match choice {
                ToolChoice::Auto | ToolChoice::Required if !tools.is_empty() => ToolChoice::Required,
                ToolChoice::Named(name) => ToolChoice::Named(name),
                ToolChoice::Auto | ToolChoice::Required | ToolChoice::None => ToolChoice::Named(JSON_TOOL),
            };
        }
    }
    if list.is_empty() {
        return Ok(());
    }
    body.insert("tools".to_owned(), list.into());
    let mut chosen = match choice {
        ToolChoice::Auto if parallel => return Ok(()),
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Named(name) => json!({"type": "tool", "name": name}),
    };
    if !parallel && choice != ToolChoice::None {
        chosen["disable_parallel_tool_use"] = true.into();
    }
    body.insert("tool_choice".to_owned(), chosen);
    Ok(())
}

fn tool(tool: &Tool<'_>) -> Value {
    let mut value = json!({"name": tool.name});
    if let Some(description) = tool.description {
        value["description"] = description.clone();
    }
    value["input_schema"] =
        tool.parameters.cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    if tool.strict {
        value["strict"] = true.into();
    }
    value
}

/// `reasoning_effort` is `output_config.effort`, which models before Opus 4.5 refuse in their own words. Thinking
/// itself is not switched on: it would have to be given back with its signature, for which OpenAI's shape has no place.
fn thinking(options: &mut Options<'_>, body: &mut Map<String, Value>) -> Result<(), WireError> {
    let Some(effort) = options.effort() else {
        return Ok(());
    };
    let effort = match effort {
        "none" => {
            body.insert("thinking".to_owned(), json!({"type": "disabled"}));
            return Ok(());
        }
        "minimal" => "low",
        "low" | "medium" | "high" | "xhigh" | "max" => effort,
        _ => return Err(options.no_effort(effort, "choose none, minimal, low, medium, high, xhigh or max")),
    };
    let config = body.entry("output_config").or_insert_with(|| json!({}));
    config["effort"] = effort.into();
    Ok(())
}
