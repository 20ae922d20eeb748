//! JSON Schemas as the Model Context Protocol wants them, and the check of params against them.
//!
//! Draft 2020-12, an object at the root, no `title` noise. Third-party capability files may carry the
//! original's draft-07 form of an array (`"items": [{…}, {…}]`), which is read as such.

use jsonschema::{Draft, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::error::Error;

/// The published schema of `T`, all references resolved in place where they are not recursive.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
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

/// A schema compiled once.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    let tuple = schema.get("items").is_some_and(Value::is_array);
    let draft = if tuple { Draft::Draft7 } else { Draft::Draft202012 };
    jsonschema::options().with_draft(draft).build(schema).map_err(|error| error.to_string())
}

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
            let text: String = error.to_string().chars().take(300).collect();
            if place.is_empty() { text } else { format!("'{}': {text}", place.trim_start_matches('/')) }
        })
        .collect();
    Err(Error::invalid_params(complaints.join("; ")))
}
