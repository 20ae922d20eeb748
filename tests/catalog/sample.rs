//! Values that fit a schema, and values that fit none.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// The least that fits `schema`; a string is `text`.
pub(crate) fn fitting(schema: &Value, text: &str) -> Value {
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|values| values.first());
    if let Some(value) = schema.get("default").or_else(|| schema.get("const")).or_else(|| first("enum")) {
        return value.clone();
    }
    if let Some(variant) = first("oneOf").or_else(|| first("anyOf")) {
        return fitting(variant, text);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => json!(text),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        Some("array") => json!([fitting(&schema["items"], text)]),
        Some("object") => Value::Object(required(schema, text)),
        _ => Value::Null,
    }
}

/// The required members of an object, each with the least that fits.
pub(crate) fn required(schema: &Value, text: &str) -> Map<String, Value> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), fitting(&schema["properties"][name], text))).collect()
}

/// JSON that few params can be. Text, because much of it is nothing that a `Value` can hold.
pub(crate) const SMALL: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e308",
    "1e999",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"../../../../etc/passwd\"",
    "\"/proc/self/environ\"",
    "\"%s%n{}${HOME}\"",
    "[]",
    "[null]",
    "[[[]]]",
    "{}",
    "{\"a\":{\"b\":[]}}",
];

const MIB: usize = 1 << 20;

/// A mebibyte of a string first, of nesting, and of members.
pub(crate) fn large() -> [String; 3] {
    let mut members = String::from("{");
    for n in 0.. {
        let _ = write!(members, "\"k{n}\":0,");
        if members.len() > MIB {
            break;
        }
    }
    members.push_str("\"end\":0}");
    [format!("\"{}\"", "x".repeat(MIB)), "[".repeat(MIB / 2) + &"]".repeat(MIB / 2), members]
}

/// Further shapes of a mebibyte: items, digits, objects in objects.
pub(crate) fn larger() -> [String; 3] {
    let depth = MIB / 6;
    [
        format!("[{}0]", "0,".repeat(MIB / 2)),
        "1".repeat(MIB),
        format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
    ]
}
