//! What a parameter's words have to be, read from its JSON Schema. Pure. What a schema says beyond that (patterns,
//! ranges) is left to the server, which checks it anyway.

use std::fmt;

use serde_json::Value;

/// What a word given for a parameter has to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    /// One of these words.
    Choice(Vec<String>),
    List(Box<Kind>),
    Object,
    /// The first that fits.
    Either(Vec<Kind>),
    Any,
}

impl Kind {
    /// From the schema of one parameter; `root` is the whole schema, in which references are looked up.
    pub(super) fn read(schema: &Value, root: &Value) -> Self {
        kind(schema, root, 0)
    }
}

/// A schema that refers to itself ends here; nobody types such a thing as a word.
const DEPTH_MAX: u8 = 8;

fn kind(schema: &Value, root: &Value, depth: u8) -> Kind {
    if depth > DEPTH_MAX {
        return Kind::Any;
    }
    if let Some(place) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        return root.pointer(place).map_or(Kind::Any, |schema| kind(schema, root, depth + 1));
    }
    if let Some(values) = schema["enum"].as_array() {
        let words: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        return if words.is_empty() { Kind::Any } else { Kind::Choice(words) };
    }
    if let Some(value) = schema["const"].as_str() {
        return Kind::Choice(vec![value.to_owned()]);
    }
    if let Some(variants) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        return either(variants.iter().map(|variant| kind(variant, root, depth + 1)));
    }
    match &schema["type"] {
        Value::String(name) => simple(name, schema, root, depth),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            either(names.map(|name| simple(name, schema, root, depth)))
        }
        _ => Kind::Any,
    }
}

fn simple(name: &str, schema: &Value, root: &Value, depth: u8) -> Kind {
    match name {
        "string" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "array" => Kind::List(Box::new(kind(&schema["items"], root, depth + 1))),
        "object" => Kind::Object,
        // `null` says no more than that the parameter may be left out.
        "null" => Kind::Either(Vec::new()),
        _ => Kind::Any,
    }
}

/// Alternatives, with choices of words made one (`oneOf` of constants is how a documented enum is published) and
/// text last, because any word is text.
fn either(kinds: impl Iterator<Item = Kind>) -> Kind {
    let mut words = Vec::new();
    let mut others = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Choice(more) => words.extend(more),
            Kind::Either(none) if none.is_empty() => {}
            other if others.contains(&other) => {}
            other => others.push(other),
        }
    }
    if !words.is_empty() {
        others.insert(0, Kind::Choice(words));
    }
    others.sort_by_key(|kind| *kind == Kind::Text);
    match others.len() {
        0 => Kind::Any,
        1 => others.remove(0),
        _ => Kind::Either(others),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Boolean => f.write_str("true|false"),
            Self::Choice(words) => f.write_str(&words.join("|")),
            Self::List(kind) => write!(f, "list of {kind}"),
            Self::Object => f.write_str("JSON object"),
            Self::Either(kinds) => {
                f.write_str(&kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
            }
            Self::Any => f.write_str("any"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, expected: &str) {
        assert_eq!(Kind::read(schema, schema).to_string(), expected, "{schema}");
    }

    #[test]
    fn schemas() {
        check(&json!({ "type": "string" }), "text");
        check(&json!({ "type": ["integer", "null"] }), "integer");
        check(&json!({ "type": ["string", "integer"] }), "integer or text");
        check(&json!({ "enum": ["a", "b"] }), "a|b");
        check(&json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }), "a|b");
        check(&json!({ "anyOf": [{ "enum": ["a"] }, { "type": "null" }] }), "a");
        check(&json!({ "type": "array", "items": { "type": "number" } }), "list of number");
        check(&json!({ "$ref": "#/$defs/X", "$defs": { "X": { "type": "boolean" } } }), "true|false");
        check(&json!({ "$ref": "#/$defs/Y" }), "any");
        check(&json!({ "$ref": "#" }), "any");
        check(&json!(true), "any");
        check(&json!(null), "any");
    }
}
