//! JSON-RPC 2.0 from the caller's side: requests out, answers and news in. Pure.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Fault;

/// The text of a call.
pub(super) fn request(id: u64, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// The text that stops the call `id`. It has an id of its own, whose answer nobody waits for: a server may
/// ignore what it is not asked to answer.
pub(super) fn cancel(id: u64) -> String {
    let params = json!({ "id": id });
    json!({ "jsonrpc": "2.0", "id": format!("cancel-{id}"), "method": "mcp.cancel", "params": params })
        .to_string()
}

/// What one message means to the calls under way.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    Answer(u64, Result<Value, Fault>),
    Progress(u64, Value),
    /// An error that belongs to no call: the server could not read what we sent, or is about to hang up.
    Complaint(Fault),
    /// Notifications this version does not know, answers to cancels: nothing to do.
    Other,
}

#[derive(Deserialize)]
struct Wire {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

/// Reads one message; `None` when it is no JSON-RPC at all.
pub(super) fn read(text: &[u8]) -> Option<Incoming> {
    let mut wire: Wire = serde_json::from_slice(text).ok()?;
    let number = |id: Option<&Value>| id.and_then(Value::as_u64);
    if let Some(method) = wire.method {
        return Some(match number(wire.params.get("id")) {
            Some(id) if method == "mcp.progress" => {
                Incoming::Progress(id, wire.params.get_mut("value").map(Value::take).unwrap_or_default())
            }
            _ => Incoming::Other,
        });
    }
    Some(match (number(wire.id.as_ref()), wire.error) {
        (Some(id), Some(fault)) => Incoming::Answer(id, Err(fault)),
        (Some(id), None) => Incoming::Answer(id, Ok(wire.result)),
        (None, Some(fault)) if wire.id.is_none_or(|id| id.is_null()) => Incoming::Complaint(fault),
        (None, _) => Incoming::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: i64) -> Fault {
        Fault { code, message: "m".into(), data: None }
    }

    #[track_caller]
    fn check(text: &str, expected: impl Into<Option<Incoming>>) {
        assert_eq!(read(text.as_bytes()), expected.into(), "{text}");
    }

    #[test]
    fn answers_and_news() {
        check(r#"{"jsonrpc":"2.0","id":1,"result":[1]}"#, Some(Incoming::Answer(1, Ok(json!([1])))));
        check(r#"{"jsonrpc":"2.0","id":1,"result":null}"#, Some(Incoming::Answer(1, Ok(Value::Null))));
        check(
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"m"}}"#,
            Some(Incoming::Answer(1, Err(fault(-5)))),
        );
        check(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-5,"message":"m"}}"#,
            Some(Incoming::Complaint(fault(-5))),
        );
        check(
            r#"{"jsonrpc":"2.0","method":"mcp.progress","params":{"id":7,"value":{"a":1}}}"#,
            Some(Incoming::Progress(7, json!({ "a": 1 }))),
        );
    }

    #[test]
    fn what_is_passed_over() {
        check(r#"{"jsonrpc":"2.0","id":"cancel-1","result":true}"#, Some(Incoming::Other));
        check(r#"{"jsonrpc":"2.0","id":"cancel-1","error":{"code":1,"message":"m"}}"#, Some(Incoming::Other));
        check(r#"{"jsonrpc":"2.0","method":"mcp.later","params":{}}"#, Some(Incoming::Other));
        check("nonsense", None);
        check("[]", None);
    }
}
