//! The headers that repeat what is in a modern request's body (SEP-2243), so that whoever stands between can route
//! without reading it. They must not contradict it. Pure.

use std::borrow::Cow;

use ::mcp::RpcError;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::jsonrpc::Request;
use protocol::mcp::Toolbox;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The revision that a request is of.
pub(crate) const VERSION: &str = "mcp-protocol-version";

const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const PARAM_PREFIX: &str = "mcp-param-";

/// What of the params is repeated.
#[derive(Default, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "taskId")]
    task_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// Refuses a request whose headers are missing or contradict its body. `version` is the body's.
pub(crate) fn check(
    headers: &HeaderMap,
    request: &Request,
    version: &str,
    tools: impl FnOnce() -> std::sync::Arc<Toolbox>,
) -> Result<(), RpcError> {
    agree("MCP-Protocol-Version", one(headers, VERSION)?, version)?;
    agree("Mcp-Method", one(headers, METHOD)?, &request.method)?;
    let raw = request.params.as_ref().map_or("{}", |params| params.get());
    let named: Named<'_> = serde_json::from_str(raw).unwrap_or_default();
    let name = match &*request.method {
        "tools/call" | "prompts/get" => named.name.as_deref(),
        "resources/read" => named.uri.as_deref(),
        "tasks/get" | "tasks/update" | "tasks/cancel" => named.task_id.as_deref(),
        _ => None,
    };
    let Some(name) = name else { return Ok(()) };
    agree("Mcp-Name", one(headers, NAME)?, name)?;
    if &*request.method == "tools/call"
        && let Some(tool) = tools().get(name)
        && !tool.headers.is_empty()
    {
        let arguments: Value =
            named.arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        for param in &tool.headers {
            let shown = format!("Mcp-Param-{}", param.header);
            let value = param.place.iter().try_fold(&arguments, |value, name| value.get(name));
            let header = one(headers, &format!("{PARAM_PREFIX}{}", param.header.to_ascii_lowercase()))?;
            match (value.filter(|value| !value.is_null()), header) {
                (None, None) => {}
                (Some(value), Some(header)) if says(&decoded(&shown, header)?, value) => {}
                (Some(_), None) => return Err(missing(&shown)),
                _ => return Err(contradicts(&shown)),
            }
        }
    }
    Ok(())
}

/// The header's value; two of them contradict one another.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text =
                value.to_str().map_err(|_| RpcError::header_mismatch(format!("{name} is not text")))?;
            Ok(Some(text.trim()))
        }
        (Some(_), Some(_)) => Err(RpcError::header_mismatch(format!("{name} was sent more than once"))),
    }
}

fn agree(shown: &str, header: Option<&str>, body: &str) -> Result<(), RpcError> {
    match header {
        Some(header) if decoded(shown, header)? == body => Ok(()),
        Some(_) => Err(contradicts(shown)),
        None => Err(missing(shown)),
    }
}

fn missing(shown: &str) -> RpcError {
    RpcError::header_mismatch(format!("The header {shown} is missing; it repeats what is in the body."))
}

fn contradicts(shown: &str) -> RpcError {
    RpcError::header_mismatch(format!("The header {shown} contradicts the body."))
}

/// `=?base64?…?=` is what does not fit into a header as it is; all else is literal.
fn decoded<'a>(shown: &str, header: &'a str) -> Result<Cow<'a, str>, RpcError> {
    let Some(encoded) = header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Ok(Cow::Borrowed(header));
    };
    let bytes = STANDARD.decode(encoded).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned)
        .ok_or_else(|| RpcError::header_mismatch(format!("The header {shown} has base64 that is none.")))
}

/// Whether a header says an argument's value: integers as numbers, everything else to the letter.
fn says(header: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => header == text,
        Value::Bool(truth) => header == if *truth { "true" } else { "false" },
        Value::Number(number) => match (header.parse::<f64>(), number.as_f64()) {
            (Ok(header), Some(number)) => (header - number).abs() == 0.0,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[track_caller]
    fn check_headers(pairs: &[(&str, &str)], request: &str, code: Option<i32>) {
        let protocol::jsonrpc::Message::Single(Ok(request)) = protocol::jsonrpc::parse(request.as_bytes(), 1)
        else {
            panic!("{request} is none")
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let found = check(&headers, &request, "2026-07-28", Arc::default);
        assert_eq!(found.err().map(|error| error.code), code, "{pairs:?} {request:?}");
    }

    #[test]
    fn headers_repeat_the_body() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fs_list"}}"#;
        let (version, method) = (("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"));
        check_headers(&[version, method, ("mcp-name", " fs_list ")], call, None);
        check_headers(&[version, method, ("Mcp-Name", "=?base64?ZnNfbGlzdA==?=")], call, None);
        for wrong in [
            &[version, method][..],
            &[version, method, ("Mcp-Name", "FS_LIST")],
            &[version, method, ("Mcp-Name", "=?base64?!?=")],
            &[version, method, ("Mcp-Name", "fs_list"), ("Mcp-Name", "fs_list")],
            &[version, ("Mcp-Method", "Tools/Call"), ("Mcp-Name", "fs_list")],
            &[("MCP-Protocol-Version", "2025-11-25"), method, ("Mcp-Name", "fs_list")],
            &[method, ("Mcp-Name", "fs_list")],
            &[],
        ] {
            check_headers(wrong, call, Some(-32020));
        }
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        check_headers(&[version, ("mcp-method", "tools/list")], list, None);
    }

    #[test]
    fn values_are_compared_as_what_they_are() {
        for (header, value, same) in [
            ("a", serde_json::json!("a"), true),
            ("A", serde_json::json!("a"), false),
            ("1", serde_json::json!(1), true),
            ("1.0", serde_json::json!(1), true),
            ("01", serde_json::json!("1"), false),
            ("true", serde_json::json!(true), true),
            ("1", serde_json::json!(true), false),
        ] {
            assert_eq!(says(header, &value), same, "{header} {value}");
        }
    }
}
