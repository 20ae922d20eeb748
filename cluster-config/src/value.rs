//! Values on their way into a document: what an empty key says, where a path leads, what the text of a variable is.

use serde_json::{Map, Value};

use crate::yaml::Step;

/// `path` as a JSON pointer; the keys of settings need no escapes.
pub(crate) fn pointer(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) => text + "/" + key,
        Step::Index(index) => format!("{text}/{index}"),
    })
}

/// `value` where `path` says, and nothing else.
pub(crate) fn nested(path: &[Step], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, step| match step {
        Step::Key(key) => Value::Object(Map::from_iter([(key.clone(), inner)])),
        Step::Index(_) => Value::Array(vec![inner]),
    })
}

/// A key with nothing behind it, as commenting out all of a section leaves it, says nothing.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().filter(|(_, v)| !v.is_null()).map(|(key, v)| (key, without_nulls(v))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// The text of a variable as the type that its setting has; text that does not fit stays text, and is complained
/// about with the setting's own words.
pub(crate) fn typed(text: &str, schema: &Value) -> Value {
    let name = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    let text = text.trim();
    match name {
        "number" => text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from),
        "integer" => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        "boolean" => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Value::Bool(true),
            "false" | "no" | "off" | "0" => Value::Bool(false),
            _ => Value::from(text),
        },
        "array" if text.starts_with('[') => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        "array" => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| typed(item, &schema["items"])).collect()
        }
        _ => Value::from(text),
    }
}

/// The original's variable takes Python's names of levels.
pub(crate) fn rust_level(text: &str) -> &str {
    match text.to_uppercase().as_str() {
        "CRITICAL" | "FATAL" => "error",
        "WARNING" => "warn",
        "NOTSET" => "trace",
        _ => text,
    }
}
