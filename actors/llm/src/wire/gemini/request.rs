//! A chat in OpenAI's shape as a request to generate content.
//!
//! Results of tools are turns of their own, right after the calls; other neighbours of one role become one turn.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::message::{Call, Content, Message, Part, Said, Source, read, text_of, wrong};
use super::super::options::{Format, Options, Tool, ToolChoice};
use super::super::{Chat, Outgoing, WireError};
use super::{PROVIDER, path};

/// What Google documents for calls that another model made, or whose caller lost the signature: from Gemini 3 on, a
/// call without one is refused (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// What a turn of the conversation is, and by it its role.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    User,
    Model,
    Results,
}

pub(in super::super) fn chat(chat: &Chat<'_>) -> Result<Outgoing, WireError> {
    let messages = read(chat.messages)?;
    let mut options = chat.options(PROVIDER);
    let mut body = Map::new();
    let system = system(&messages)?;
    if !system.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({"parts": system}));
    }
    body.insert("contents".to_owned(), contents(&messages)?.into());
    tools(&mut options, &mut body)?;
    let config = config(&mut options, chat.model)?;
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), config.into());
    }
    options.finish(&mut body)?;
    let method = if chat.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    Ok(Outgoing { path: path(chat.model, method), body: body.into() })
}

// === messages ===

fn system(messages: &[Message<'_>]) -> Result<Vec<Value>, WireError> {
    let mut said = Vec::new();
    for message in messages {
        if let Said::System(parts) = &message.said {
            said.extend(self::parts(parts)?);
        }
    }
    Ok(said)
}

fn contents(messages: &[Message<'_>]) -> Result<Vec<Value>, WireError> {
    // Results are matched by the function's name, which OpenAI's tool messages do not say.
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut turns: Vec<(Turn, Vec<Value>)> = Vec::new();
    for message in messages {
        let (turn, parts) = match &message.said {
            Said::System(_) => continue,
            Said::User(parts) => (Turn::User, self::parts(parts)?),
            Said::Assistant { parts, calls, .. } => {
                let mut parts = self::parts(parts)?;
                for (index, call) in calls.iter().enumerate() {
                    names.insert(call.id, call.name);
                    parts.push(function_call(call, index == 0)?);
                }
                (Turn::Model, parts)
            }
            Said::Tool { call, parts } => {
                let Some(name) = names.get(call) else {
                    return Err(wrong(
                        format_args!("{}.tool_call_id", message.place),
                        "answers no tool call of a message before it",
                    ));
                };
                (Turn::Results, vec![function_response(call, name, parts)?])
            }
        };
        match turns.last_mut() {
            Some((last, said)) if *last == turn => said.extend(parts),
            _ if parts.is_empty() => {}
            _ => turns.push((turn, parts)),
        }
    }
    let role = |turn| if turn == Turn::Model { "model" } else { "user" };
    Ok(turns.into_iter().map(|(turn, parts)| json!({"role": role(turn), "parts": parts})).collect())
}

/// Parts; empty texts say nothing and some models refuse them.
fn parts(parts: &[Part<'_>]) -> Result<Vec<Value>, WireError> {
    parts.iter().filter(|part| !matches!(part.content, Content::Text(""))).map(part).collect()
}

fn part(part: &Part<'_>) -> Result<Value, WireError> {
    Ok(match &part.content {
        Content::Text(text) => json!({"text": text}),
        Content::Image(Source::Inline { mime, data }) | Content::File(Source::Inline { mime, data }) => {
            json!({"inlineData": {"mimeType": mime, "data": data}})
        }
        Content::Image(Source::Remote(url)) | Content::File(Source::Remote(url)) => {
            json!({"fileData": {"fileUri": url}})
        }
        Content::Audio { data, format } => {
            json!({"inlineData": {"mimeType": format!("audio/{format}"), "data": data}})
        }
        Content::Other(_) => return Err(part.unsupported(PROVIDER)),
    })
}

/// Of parallel calls, Gemini signs the first alone.
fn function_call(call: &Call<'_>, first: bool) -> Result<Value, WireError> {
    let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments()?}});
    if let Some(signature) = call.signature.or(first.then_some(NO_SIGNATURE)) {
        part["thoughtSignature"] = signature.into();
    }
    Ok(part)
}

/// A result must be an object; one that is none becomes the documented field `output` of one.
fn function_response(call: &str, name: &str, parts: &[Part<'_>]) -> Result<Value, WireError> {
    let Some(text) = text_of(parts) else {
        let other = parts.iter().find(|part| !matches!(part.content, Content::Text(_)));
        return Err(
            other.map_or_else(|| wrong("messages", "must be text"), |part| part.unsupported(PROVIDER))
        );
    };
    let text = text.concat();
    let response = match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => object,
        _ => json!({"output": text}),
    };
    Ok(json!({"functionResponse": {"id": call, "name": name, "response": response}}))
}

// === options ===

fn tools(options: &mut Options<'_>, body: &mut Map<String, Value>) -> Result<(), WireError> {
    let tools = options.tools()?;
    let choice = options.tool_choice(&tools)?;
    if tools.is_empty() {
        return Ok(());
    }
    if !options.parallel_tool_calls() {
        return Err(options.unsupported("parallel_tool_calls"));
    }
    let declarations: Vec<Value> = tools.iter().map(declaration).collect();
    body.insert("tools".to_owned(), json!([{"functionDeclarations": declarations}]));
    let config = match choice {
        ToolChoice::Auto => return Ok(()),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    body.insert("toolConfig".to_owned(), json!({"functionCallingConfig": config}));
    Ok(())
}

/// `parametersJsonSchema` takes JSON Schema as it is; `parameters` only Google's subset of it.
fn declaration(tool: &Tool<'_>) -> Value {
    let mut value = json!({"name": tool.name});
    if let Some(description) = tool.description {
        value["description"] = description.clone();
    }
    if let Some(parameters) = tool.parameters {
        value["parametersJsonSchema"] = parameters.clone();
    }
    value
}

fn config(options: &mut Options<'_>, model: &str) -> Result<Map<String, Value>, WireError> {
    let mut config = Map::new();
    options.copy("temperature", &mut config, "temperature");
    options.copy("top_p", &mut config, "topP");
    if let Some(max_tokens) = options.max_tokens() {
        config.insert("maxOutputTokens".to_owned(), max_tokens.into());
    }
    if let Some(stop) = options.stop() {
        config.insert("stopSequences".to_owned(), stop);
    }
    options.copy("seed", &mut config, "seed");
    options.copy("presence_penalty", &mut config, "presencePenalty");
    options.copy("frequency_penalty", &mut config, "frequencyPenalty");
    match options.format()? {
        Format::Text => {}
        Format::Object => {
            config.insert("responseMimeType".to_owned(), "application/json".into());
        }
        Format::Schema(schema) => {
            config.insert("responseMimeType".to_owned(), "application/json".into());
            config.insert("responseJsonSchema".to_owned(), schema.clone());
        }
    }
    if let Some(effort) = options.effort() {
        config.insert("thinkingConfig".to_owned(), thinking(options, effort, model)?);
    }
    Ok(config)
}

/// Gemini 2 has a budget of tokens for thinking, its successors have levels. The budgets are those that Google's own
/// OpenAI-compatible service uses (<https://ai.google.dev/gemini-api/docs/openai>).
fn thinking(options: &Options<'_>, effort: &str, model: &str) -> Result<Value, WireError> {
    if model.starts_with("gemini-2") {
        let budget = match effort {
            "none" => 0,
            "minimal" | "low" => 1024,
            "medium" => 8192,
            "high" => 24576,
            _ => return Err(options.no_effort(effort, "choose none, minimal, low, medium or high")),
        };
        return Ok(json!({"thinkingBudget": budget}));
    }
    match effort {
        "minimal" | "low" | "medium" | "high" => Ok(json!({"thinkingLevel": effort})),
        _ => Err(options.no_effort(effort, "choose minimal, low, medium or high")),
    }
}
