//! `tools/list` and `tools/call`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use protocol::mcp::{Tool, Toolbox};
use protocol::{Conclusion, Error, Payload, TaskSupport};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::Server;
use crate::asking::Asking;
use crate::cursor;
use crate::out::Out;
use crate::questions::{Askable, Returned};
use crate::rpc::{self, RpcError};

/// Tools in one page. A host's model sees them all anyway; only third-party backends can bring more.
const PAGE: usize = 100;

/// How long a list stays good: `list_changed` says when it does not, for those who listen.
const TTL_MS: u64 = 60_000;

/// `tools/list`.
pub(crate) fn list(server: &Server, asking: &Asking, cursor: Option<&str>) -> Result<Conclusion, RpcError> {
    let tools = server.dispatch.tools(&asking.caller);
    let Some(from) = cursor::read::<usize>(cursor)? else {
        // The first page is what everybody asks for, and mostly all there is.
        let shown = tools.shown(asking.revision.is_modern(), || page(asking, tools.all(), 0));
        return Ok(Conclusion::Common(shown.clone()));
    };
    let rest = tools.all().get(from..).ok_or_else(cursor::invalid)?;
    Ok(page(asking, rest, from).into())
}

/// The page that begins with the first of `rest`, which is number `from` of all.
fn page(asking: &Asking, rest: &[Arc<Tool>], from: usize) -> String {
    let size = rest.iter().take(PAGE).map(|tool| tool.text.len() + 1).sum::<usize>();
    let mut text = String::with_capacity(size + 64);
    text.push_str("\"tools\":[");
    for (at, tool) in rest.iter().take(PAGE).enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&tool.text);
    }
    text.push(']');
    if rest.len() > PAGE {
        let _ = write!(text, ",\"nextCursor\":{}", json!(cursor::write(&(from + PAGE))));
    }
    asking.cacheable(&text, TTL_MS)
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(rename = "inputResponses", default)]
    responses: Option<Map<String, Value>>,
    #[serde(rename = "requestState", default)]
    state: Option<String>,
}

/// The arguments of a method that takes its params by position.
#[derive(Deserialize)]
struct Positional {
    params: Box<RawValue>,
}

/// `tools/call`.
pub(crate) fn call(server: &Arc<Server>, asking: &Arc<Asking>, params: Option<&RawValue>, out: Out) {
    let tools = server.dispatch.tools(&asking.caller);
    match prepare(server, asking, &tools, params) {
        Ok((askable, returned, tool)) => match tool.task() {
            TaskSupport::Required if asking.revision.is_modern() && !asking.capabilities.tasks => {
                out.error(&RpcError::of(&Error::missing_capability(protocol::mcp::Capability::Tasks)));
            }
            TaskSupport::Optional | TaskSupport::Required if asking.capabilities.tasks => {
                server.book.run(askable, returned, out);
            }
            _ => askable.begin(returned, out),
        },
        Err(error) => out.error(&error),
    }
}

fn prepare(
    server: &Arc<Server>,
    asking: &Arc<Asking>,
    tools: &Toolbox,
    params: Option<&RawValue>,
) -> Result<(Askable, Returned, Arc<Tool>), RpcError> {
    let text = params.map_or("{}", RawValue::get);
    let params: Params<'_> = serde_json::from_str(text).map_err(RpcError::invalid_params)?;
    let Params { name, arguments, responses, state } = params;
    let returned = Returned { responses, state };
    let Some(tool) = tools.get(&name) else { return Err(unknown(server, asking, &name)) };
    let raw = arguments.map_or("{}", RawValue::get);
    if !raw.starts_with('{') {
        return Err(RpcError::invalid_params("arguments must be an object"));
    }
    let params = if tool.by_position {
        let Positional { params } = serde_json::from_str(raw).map_err(RpcError::invalid_params)?;
        params
    } else {
        arguments.map_or_else(empty, ToOwned::to_owned)
    };
    let (shown, structured, rich) = (Arc::clone(tool), tool.structured, tool.entry.rich);
    let askable = Askable {
        server: Arc::clone(server),
        asking: Arc::clone(asking),
        method: tool.entry.name.as_str().into(),
        params,
        finish: Arc::new(move |server, asking, outcome| {
            let kind = if rich {
                Kind::Rich
            } else if structured {
                Kind::Structured
            } else {
                Kind::Plain
            };
            result(server, asking, &shown, kind, outcome)
        }),
        early: Map::new(),
        round: 0,
    };
    Ok((askable, returned, Arc::clone(tool)))
}

fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("it is JSON")
}

/// One text for what does not exist and what is not for this caller, so that nobody can probe. Over HTTP the status
/// tells a caller whose token was narrowed that another token could, in the modern era: older clients take a 403 for
/// the end of their session.
fn unknown(server: &Server, asking: &Asking, name: &str) -> RpcError {
    let shown: String = name.chars().take(64).collect();
    let error =
        RpcError::invalid_params(format!("unknown tool '{shown}'; tools/list has those that you may call"));
    let narrowed = asking.revision.is_modern() && asking.caller.allow.is_some() && {
        let whole = protocol::Caller {
            allow: None,
            token: None,
            name: format!("{}*", asking.caller.name),
            ..protocol::Caller::clone(&asking.caller)
        };
        server.dispatch.tools(&Arc::new(whole)).get(name).is_some()
    };
    if narrowed { RpcError { status: 403, ..error } } else { error }
}

/// What a payload is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Content blocks.
    Rich,
    /// An object of the tool's output schema.
    Structured,
    /// Anything.
    Plain,
}

/// The `CallToolResult` of an outcome.
fn result(
    server: &Server,
    asking: &Asking,
    tool: &Tool,
    kind: Kind,
    outcome: Result<Payload, Error>,
) -> Result<String, RpcError> {
    match outcome {
        Ok(payload) => Ok(success(server, asking, tool, kind, payload.as_str())),
        Err(error) if rpc::is_protocol_error(&error) => Err(RpcError::of(&error)),
        Err(error) => Ok(failure(asking, &error)),
    }
}

fn success(server: &Server, asking: &Asking, tool: &Tool, kind: Kind, text: &str) -> String {
    if kind == Kind::Rich
        && has_content(text)
        && let Some(members) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
    {
        // It is an object of content blocks: its members are the result's.
        return asking.complete(members);
    }
    let most = asking.result_max.map_or(server.result_bytes, |wanted| {
        usize::try_from(wanted).unwrap_or(usize::MAX).min(server.result_bytes_max)
    });
    if text.len() > most && (tool.entry.effect.read_only || kind != Kind::Structured) {
        return cut(server, asking, tool, kind, text, most);
    }
    let mut result = asking.begin(text.len() * 2 + text.len() / 2 + 128);
    result.push_str("\"content\":[{\"type\":\"text\",\"text\":");
    push_json_string(&mut result, text);
    result.push_str("}]");
    if asking.revision >= protocol::mcp::Revision::V2025_06_18 && kind == Kind::Structured {
        result.push_str(",\"structuredContent\":");
        result.push_str(text);
    }
    result.push_str(",\"isError\":false");
    asking.end(result)
}

/// Whether it is a tool's result as it stands. A prompt is not: its blocks are in messages.
fn has_content(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        content: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Shape>(text).is_ok_and(|shape| shape.content.is_some())
}

/// A result that would flood its reader's context: its beginning, and a link to all of it.
fn cut(server: &Server, asking: &Asking, tool: &Tool, kind: Kind, text: &str, most: usize) -> String {
    let mut end = most.min(text.len()) / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let link = server.spill.keep(&asking.caller.name, text);
    let advice = if tool.entry.positions.iter().any(|name| name == "limit") {
        "Ask for less of it with `limit` and go on with `cursor` or `offset`"
    } else {
        "Ask for less of it"
    };
    let note = match &link {
        Some(uri) => format!("{advice}, or read all of it as the resource {uri} within an hour."),
        None => format!("{advice}."),
    };
    let note =
        format!("The result has {} bytes, more than the {most} that one result may have. {note}", text.len());
    let mut content =
        vec![json!({ "type": "text", "text": note }), json!({ "type": "text", "text": &text[..end] })];
    if let Some(uri) = &link
        && asking.revision >= protocol::mcp::Revision::V2025_06_18
    {
        content.push(json!({
            "type": "resource_link", "uri": uri, "name": format!("{}.json", tool.name),
            "mimeType": "application/json", "size": text.len(),
        }));
    }
    let mut members = format!("\"content\":{}", json!(content));
    if kind == Kind::Structured && asking.revision >= protocol::mcp::Revision::V2025_06_18 {
        let too_large =
            json!({ "too_large": { "bytes": text.len(), "limit": most, "uri": link, "advice": note } });
        let _ = write!(members, ",\"structuredContent\":{too_large}");
    }
    members.push_str(",\"isError\":false");
    asking.complete(&members)
}

/// A failure that the model behind the client should read: what happened, to what, and what to do.
fn failure(asking: &Asking, error: &Error) -> String {
    let mut text = error.message.clone();
    if let Some(data) = &error.data {
        text.push('\n');
        text.push_str(&data.to_string());
    }
    let members = format!("\"content\":{},\"isError\":true", json!([{ "type": "text", "text": text }]));
    asking.complete(&members)
}

fn push_json_string(out: &mut String, text: &str) {
    let mut bytes = std::mem::take(out).into_bytes();
    serde_json::to_writer(&mut bytes, text).expect("strings serialise to memory");
    *out = String::from_utf8(bytes).expect("it was written from strings");
}
