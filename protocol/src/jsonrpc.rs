//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>): text in, requests out; answers in, text out.
//!
//! Params stay raw text until a method's own type reads them, so a request is walked once here and once there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dispatch::Conclusion;
use crate::error::{Code, Error};

/// A request id: a string, an integer of up to 64 bits, or null.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// `null`: an answer to something whose id could not be read, or a caller's own choice.
    Null,
    /// An integer.
    Integer(i128),
    /// A string.
    Text(Box<str>),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Integer(n) => match i64::try_from(*n) {
                Ok(n) => serializer.serialize_i64(n),
                Err(_) => serializer.serialize_i128(*n),
            },
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Owned: as a method's param an id is read from a value, which has no text to borrow from.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| serde::de::Error::custom(ID_RULE))
    }
}

impl schemars::JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer", "null"] })
    }
}

const ID_RULE: &str = "id must be a string, an integer of up to 64 bits, or null";

impl Id {
    fn parse(raw: &str) -> Option<Self> {
        if raw == "null" {
            return Some(Self::Null);
        }
        if raw.starts_with('"') {
            return serde_json::from_str(raw).ok().map(Self::Text);
        }
        let number: i128 = raw.parse().ok()?;
        let fits = i128::from(i64::MIN) <= number && number <= i128::from(u64::MAX);
        fits.then_some(Self::Integer(number))
    }
}

/// One request or notification.
#[derive(Clone, Debug)]
pub struct Request {
    /// `None` for a notification, which is never answered.
    pub id: Option<Id>,
    /// The method's name as the caller wrote it.
    pub method: Box<str>,
    /// An array or an object, unread; `None` when absent.
    pub params: Option<Box<RawValue>>,
}

/// A message that cannot be executed, and the id under which to say so.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// The id, where it could be read; else null, as the specification asks.
    pub id: Id,
    /// -32700, -32600 or -32602.
    pub error: Error,
}

/// What one frame holds.
#[derive(Debug)]
pub enum Message {
    /// A request, a notification, or something that is neither.
    Single(Result<Request, Rejected>),
    /// A batch with at least one member.
    Batch(Vec<Result<Request, Rejected>>),
}

/// Reads one frame. `batch_max` bounds the members of a batch.
pub fn parse(frame: &[u8], batch_max: usize) -> Message {
    let text = match std::str::from_utf8(frame) {
        Ok(text) => text,
        Err(error) => {
            let place = error.valid_up_to();
            return reject(Code::Parse, format!("Message is not UTF-8 (byte {place})."));
        }
    };
    if !text.trim_ascii_start().starts_with('[') {
        return Message::Single(request(text));
    }
    match members(text, batch_max) {
        Ok((_, 0)) => reject(Code::InvalidRequest, "A batch must not be empty."),
        Ok((_, total)) if total > batch_max => reject(
            Code::InvalidRequest,
            format!("A batch may have {batch_max} members; this one has {total}."),
        ),
        Ok((members, _)) => Message::Batch(members.into_iter().map(|raw| request(raw.get())).collect()),
        Err(error) => reject(Code::Parse, format!("Invalid JSON: {error}.")),
    }
}

/// The first `max` members of a batch, and how many there are: a frame may hold millions.
fn members(text: &str, max: usize) -> serde_json::Result<(Vec<&RawValue>, usize)> {
    struct First(usize);

    impl<'de> Visitor<'de> for First {
        type Value = (Vec<&'de RawValue>, usize);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a batch")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut first = Vec::new();
            while first.len() < self.0 {
                match members.next_element()? {
                    Some(member) => first.push(member),
                    None => break,
                }
            }
            let mut total = first.len();
            while members.next_element::<IgnoredAny>()?.is_some() {
                total += 1;
            }
            Ok((first, total))
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_seq(First(max))?;
    reader.end()?;
    Ok(members)
}

fn reject(code: Code, message: impl Into<String>) -> Message {
    Message::Single(Err(Rejected { id: Id::Null, error: Error::new(code, message) }))
}

/// A request as almost all are: read in one pass.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(default, deserialize_with = "plain_id")]
    id: Option<Id>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

fn plain_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    struct Visitor;

    impl serde::de::Visitor<'_> for Visitor {
        type Value = Option<Id>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(ID_RULE)
        }

        fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
            Ok(Some(Id::Integer(n.into())))
        }

        fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
            Ok(Some(Id::Integer(n.into())))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Id::Text(text.into())))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Some(Id::Null))
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// The request in `text` if nothing at all is wrong with it; what is, [`request`] finds out.
fn plain_request(text: &str) -> Option<Request> {
    let Plain { jsonrpc, id, method, params } = serde_json::from_str(text).ok()?;
    let structured = params.is_none_or(|raw| raw.get().starts_with(['[', '{']));
    (jsonrpc == "2.0" && !method.is_empty() && structured).then(|| Request {
        id,
        method: method.into(),
        params: params.map(ToOwned::to_owned),
    })
}

/// The members of a request, each still raw, so that one bad member does not hide the id.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

/// Tells an explicit null from an absent member, which `Option` alone does not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn request(text: &str) -> Result<Request, Rejected> {
    let refuse = |id: Id, code, message: String| Err(Rejected { id, error: Error::new(code, message) });
    // In a batch, where it has been found to be JSON; serde would take its items for the members.
    if text.starts_with('[') {
        return refuse(Id::Null, Code::InvalidRequest, "Not a JSON-RPC request object: an array.".into());
    }
    if let Some(request) = plain_request(text) {
        return Ok(request);
    }
    let wire: Wire<'_> = match serde_json::from_str(text) {
        Ok(wire) => wire,
        Err(error) if error.is_data() => {
            let message = format!("Not a JSON-RPC request object: {error}.");
            return refuse(Id::Null, Code::InvalidRequest, message);
        }
        Err(error) => return refuse(Id::Null, Code::Parse, format!("Invalid JSON: {error}.")),
    };
    let id = match wire.id.map(|raw| Id::parse(raw.get())) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) => return refuse(Id::Null, Code::InvalidRequest, format!("{ID_RULE}.")),
    };
    let shown = || id.clone().unwrap_or(Id::Null);
    if wire.jsonrpc.is_none_or(|raw| raw.get() != "\"2.0\"") {
        return refuse(shown(), Code::InvalidRequest, "Member jsonrpc must be \"2.0\".".into());
    }
    let method = match wire.method.map(|raw| serde_json::from_str::<Cow<'_, str>>(raw.get())) {
        Some(Ok(method)) if !method.is_empty() => method,
        _ => {
            return refuse(shown(), Code::InvalidRequest, "Member method must be a non-empty string.".into());
        }
    };
    if wire.params.is_some_and(|raw| !raw.get().starts_with(['[', '{'])) {
        let message = "Params field must be an array or an object.".into();
        return refuse(shown(), Code::InvalidParams, message);
    }
    Ok(Request { id, method: method.into(), params: wire.params.map(ToOwned::to_owned) })
}

/// The answer to a request of ours.
#[derive(Debug)]
pub struct Response {
    /// The id that the request had.
    pub id: Id,
    /// The result, or the error object.
    pub outcome: Result<Value, Value>,
}

/// Reads a frame as an answer to a request of ours; `None` when it is none.
pub fn parse_response(frame: &[u8]) -> Option<Response> {
    #[derive(Deserialize)]
    struct Wire {
        jsonrpc: String,
        id: Id,
        #[serde(default)]
        result: Option<Value>,
        #[serde(default)]
        error: Option<Value>,
        #[serde(default)]
        method: Option<IgnoredAny>,
    }
    let wire: Wire = serde_json::from_slice(frame).ok()?;
    let outcome = match (wire.result, wire.error) {
        (Some(result), None) => Ok(result),
        (None, Some(error)) => Err(error),
        _ => return None,
    };
    (wire.jsonrpc == "2.0" && wire.method.is_none()).then_some(Response { id: wire.id, outcome })
}

/// Appends `{"jsonrpc":"2.0","id":…,"result":…}`; `result` is JSON text and is copied, not read.
pub fn write_result(out: &mut String, id: &Id, result: &str) {
    open(out, id);
    out.push_str(",\"result\":");
    out.push_str(result);
    out.push('}');
}

/// Appends `{"jsonrpc":"2.0","id":…,"error":{…}}`.
pub fn write_error(out: &mut String, id: &Id, error: &Error) {
    open(out, id);
    out.push_str(",\"error\":");
    write_json(out, error);
    out.push('}');
}

/// Appends `{"jsonrpc":"2.0","error":{…}}`: an error about something that has no id, where null is none.
pub fn write_unaddressed(out: &mut String, error: &Error) {
    out.push_str("{\"jsonrpc\":\"2.0\",\"error\":");
    write_json(out, error);
    out.push('}');
}

/// Appends `{"jsonrpc":"2.0","id":…,"result":…}` or the same with `error`.
pub fn write_conclusion(out: &mut String, id: &Id, conclusion: &Conclusion) {
    match conclusion {
        Conclusion::Result(text) => write_result(out, id, text),
        Conclusion::Common(common) => write_result(out, id, common.result()),
        Conclusion::Error { text, .. } => {
            open(out, id);
            out.push_str(",\"error\":");
            out.push_str(text);
            out.push('}');
        }
    }
}

/// Appends `{"jsonrpc":"2.0","method":…,"params":{"id":…,"value":…}}`: news about the call `id`.
pub fn write_progress(out: &mut String, id: &Id, value: &str) {
    out.push_str("{\"jsonrpc\":\"2.0\",\"method\":\"mcp.progress\",\"params\":{\"id\":");
    write_id(out, id);
    out.push_str(",\"value\":");
    out.push_str(value);
    out.push_str("}}");
}

fn open(out: &mut String, id: &Id) {
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    write_id(out, id);
}

fn write_id(out: &mut String, id: &Id) {
    match id {
        Id::Text(text) => write_json(out, text),
        Id::Integer(n) => out.push_str(itoa::Buffer::new().format(*n)),
        Id::Null => out.push_str("null"),
    }
}

fn write_json(out: &mut String, value: &impl Serialize) {
    let text = serde_json::to_string(value);
    out.push_str(&text.expect("strings, numbers and JSON values always serialise to memory"));
}

#[cfg(test)]
mod tests;
