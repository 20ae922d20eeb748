//! `_meta` of a request: what a modern client says about itself with every request, and what any client may.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::inputs::Capabilities;

/// `_meta`, as far as it is understood; what else is in it is nobody's business here.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Meta {
    /// The revision, unread: what is not spoken is answered with its own name.
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", default)]
    pub protocol_version: Option<String>,
    /// What the client can do.
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", default)]
    pub capabilities: Option<Capabilities>,
    /// From which level on the client wants log messages of this request; none without it.
    #[serde(rename = "io.modelcontextprotocol/logLevel", default)]
    pub log_level: Option<String>,
    /// Under which name the client wants news of this request.
    #[serde(rename = "progressToken", default, deserialize_with = "token")]
    pub progress_token: Option<Value>,
    /// How large a tool's result may be for this client, in bytes, where that is not the setting.
    #[serde(rename = "llmbasedos/maxResultBytes", default)]
    pub max_result_bytes: Option<u64>,
}

/// A progress token is a string or an integer; anything else is no token.
fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        token @ Value::String(_) => Ok(Some(token)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(Value::Number(number))),
        _ => Err(serde::de::Error::custom("progressToken must be a string or an integer")),
    }
}

/// How grave a log message is (RFC 5424), least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// The level of this name.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name)).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(meta: Value) -> Result<Meta, serde_json::Error> {
        serde_json::from_value(meta)
    }

    #[test]
    fn what_is_understood_is_read_and_the_rest_is_left() {
        let meta = read(json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "sampling": {} },
            "progressToken": 5,
            "com.example/other": [1],
        }))
        .unwrap();
        assert_eq!(meta.protocol_version.as_deref(), Some("2026-07-28"));
        assert!(meta.capabilities.unwrap().sampling);
        assert_eq!(meta.progress_token, Some(json!(5)));
    }

    #[test]
    fn tokens_are_strings_or_integers() {
        assert_eq!(read(json!({ "progressToken": "a" })).unwrap().progress_token, Some(json!("a")));
        for bad in [json!(1.5), json!({}), json!([1]), json!(true)] {
            assert!(read(json!({ "progressToken": bad })).is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_have_an_order() {
        assert!(LogLevel::Debug < LogLevel::Emergency);
        assert_eq!(LogLevel::parse("warning"), Some(LogLevel::Warning));
        assert_eq!(LogLevel::parse("loud"), None);
    }
}
