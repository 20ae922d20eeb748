//! JSON Schemas as the Model Context Protocol wants them, and the check of params against them.
//!
//! Draft 2020-12, an object at the root, no `title` noise. Third-party capability files may carry the
//! original's draft-07 form of an array (`"items": [{…}, {…}]`), which is read as such.

use jsonschema::{Draft, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::error::Error;

/// The published schema of the params `T`, all references resolved in place where they are not recursive.
pub(crate) fn params<T: JsonSchema>() -> Value {
    published::<T>(SchemaSettings::draft2020_12())
}

/// The published schema of the result `T`: what serialising it writes, and nothing else.
pub(crate) fn result<T: JsonSchema>() -> Value {
    let mut schema = published::<T>(SchemaSettings::draft2020_12().for_serialize());
    close(&mut schema, Members::All);
    schema
}

fn published<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let generator = settings.with(|s| s.inline_subschemas = true).into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
        root.remove("description");
        root.remove("$schema");
        root.entry("type").or_insert_with(|| "object".into());
        root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        flatten_text(&mut schema);
    }
    schema
}

/// How much of an object a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    /// All of its members.
    All,
    /// Some: the schema around this one describes further members of the same object.
    Some,
}

/// Says of every object that a type declares that it has no other members: serde writes none.
fn close(schema: &mut Value, members: Members) {
    let Value::Object(schema) = schema else { return };
    let declares = schema.contains_key("properties");
    let in_place = ["allOf", "anyOf", "oneOf"];
    let composed = in_place.iter().any(|key| schema.contains_key(*key));
    if declares && members == Members::All && !schema.contains_key("additionalProperties") {
        let keyword = if composed { "unevaluatedProperties" } else { "additionalProperties" };
        schema.entry(keyword).or_insert(Value::Bool(false));
    }
    let parts = if declares { Members::Some } else { members };
    for key in in_place {
        let variants = schema.get_mut(key).and_then(Value::as_array_mut);
        variants.into_iter().flatten().for_each(|variant| close(variant, parts));
    }
    for key in ["properties", "$defs"] {
        let named = schema.get_mut(key).and_then(Value::as_object_mut);
        named.into_iter().flat_map(Map::values_mut).for_each(|schema| close(schema, Members::All));
    }
    for key in ["items", "additionalProperties"] {
        schema.get_mut(key).into_iter().for_each(|schema| close(schema, Members::All));
    }
    let tuple = schema.get_mut("prefixItems").and_then(Value::as_array_mut);
    tuple.into_iter().flatten().for_each(|schema| close(schema, Members::All));
}

/// Doc comments are wrapped at the source's width; a description is one paragraph per blank line.
fn flatten_text(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = paragraphs(text);
            }
            map.values_mut().for_each(flatten_text);
        }
        Value::Array(items) => items.iter_mut().for_each(flatten_text),
        _ => {}
    }
}

/// Joins the lines of each paragraph.
pub(crate) fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.split('\n').map(str::trim).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// A schema compiled once. One that does not say its draft is of the newest, unless it has draft-07 tuples.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    let assumed = if has_tuple(schema) { Draft::Draft7 } else { Draft::Draft202012 };
    jsonschema::options()
        .with_draft(assumed.detect(schema))
        .build(schema)
        .map_err(|error| error.to_string().chars().take(TEXT_MAX).collect())
}

/// Whether `items` is an array somewhere in it, which only the older drafts know.
fn has_tuple(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.get("items").is_some_and(Value::is_array) || map.values().any(has_tuple),
        Value::Array(items) => items.iter().any(has_tuple),
        _ => false,
    }
}

/// An error repeats what it complains of, which may be a megabyte; so much of it helps.
const TEXT_MAX: usize = 300;

/// -32602 naming every parameter that does not fit (the first few), or `Ok`.
pub(crate) fn check(validator: &Validator, params: &Value) -> Result<(), Error> {
    if validator.is_valid(params) {
        return Ok(());
    }
    let complaints: Vec<String> = validator
        .iter_errors(params)
        .take(5)
        .map(|error| {
            let place = error.instance_path().to_string();
            let place = place.trim_start_matches('/');
            let text = if place.is_empty() { error.to_string() } else { format!("'{place}': {error}") };
            text.chars().take(TEXT_MAX).collect()
        })
        .collect();
    Err(Error::invalid_params(complaints.join("; ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn fits(schema: &Value, params: &Value, expected: bool) {
        assert_eq!(compile(schema).unwrap().is_valid(params), expected, "{params} in {schema}");
    }

    #[test]
    fn a_schema_without_a_draft_is_of_the_newest_unless_it_has_tuples() {
        let newest = json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": false });
        fits(&newest, &json!(["a"]), true);
        fits(&newest, &json!([1]), false);
        fits(&newest, &json!(["a", 1]), false);
        let tuple = json!({ "items": [{ "type": "string" }], "additionalItems": false });
        fits(&tuple, &json!(["a"]), true);
        fits(&tuple, &json!([1]), false);
        fits(&tuple, &json!(["a", 1]), false);
        let nested = json!({ "properties": { "pair": { "items": [{ "type": "string" }] } } });
        fits(&nested, &json!({ "pair": ["a"] }), true);
        fits(&nested, &json!({ "pair": [1] }), false);
    }

    #[test]
    fn a_draft_that_is_named_is_the_one() {
        let old = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "maximum": 5,
            "exclusiveMaximum": true });
        fits(&old, &json!(4), true);
        fits(&old, &json!(5), false);
    }

    #[test]
    fn what_is_no_schema_is_refused_in_few_words() {
        for bad in [
            json!({ "type": "nonsense" }),
            json!({ "type": 5 }),
            json!("x"),
            json!({ "$ref": "https://example.com/schema" }),
            json!({ "$ref": "#/nowhere" }),
            json!({ "pattern": "(" }),
            json!({ "type": "x".repeat(1 << 20) }),
        ] {
            let why = compile(&bad).unwrap_err();
            assert!(!why.is_empty() && why.len() < 2000, "{} bytes", why.len());
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        for circle in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }] }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
            json!({ "not": { "$ref": "#" } }),
        ] {
            if let Ok(validator) = compile(&circle) {
                let _ = check(&validator, &json!({ "a": [1] }));
            }
        }
    }

    #[test]
    fn only_the_first_complaints_are_made() {
        let schema = json!({ "items": { "type": "string" } });
        let error = check(&compile(&schema).unwrap(), &json!([1, 2, 3, 4, 5, 6, 7])).unwrap_err();
        assert!(error.message.contains("'4': 5 ") && !error.message.contains("'5': 6 "), "{}", error.message);
    }

    /// Closes a schema and shows where that was said.
    #[track_caller]
    fn closes(schema: &Value, expected: &Value) {
        let mut closed = schema.clone();
        close(&mut closed, Members::All);
        assert_eq!(closed, *expected);
    }

    #[test]
    fn objects_are_closed_where_they_are_whole() {
        let open = json!({ "properties": { "a": { "properties": {} } } });
        let shut = json!({ "properties": { "a": { "properties": {}, "additionalProperties": false } },
            "additionalProperties": false });
        closes(&open, &shut);
        closes(&json!({ "items": open }), &json!({ "items": shut }));
        closes(&json!({ "prefixItems": [open] }), &json!({ "prefixItems": [shut] }));
        closes(&json!({ "anyOf": [open] }), &json!({ "anyOf": [shut] }));
        closes(&json!({ "additionalProperties": open }), &json!({ "additionalProperties": shut }));
        // A field of this name is no keyword.
        closes(
            &json!({ "properties": { "properties": { "type": "string" } } }),
            &json!({ "properties": { "properties": { "type": "string" } }, "additionalProperties": false }),
        );
        for free in [json!(true), json!({ "type": "object" }), json!({ "additionalProperties": {} })] {
            closes(&free, &free);
        }
    }

    #[test]
    fn an_object_in_parts_is_closed_around_them() {
        closes(
            &json!({ "properties": { "a": {} }, "oneOf": [{ "properties": { "b": {} } }] }),
            &json!({ "properties": { "a": {} }, "oneOf": [{ "properties": { "b": {} } }],
                "unevaluatedProperties": false }),
        );
    }
}
