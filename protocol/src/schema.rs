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
