//! The inputs of a run: defaults applied, and checked against the workflow's schema.

use serde_json::{Map, Value, json};

/// A schema that reaches deeper is none that a person wrote.
const DEPTH_MAX: usize = 32;

/// Mistakes that are told at once.
const MISTAKES_MAX: usize = 8;

/// The JSON Schema of what `inputs:` says: it as it stands, or a schema of which it names the properties.
pub fn schema(inputs: Option<&Map<String, Value>>) -> Value {
    let Some(inputs) = inputs else { return json!({ "type": "object" }) };
    let is_schema = inputs.get("type").is_some_and(Value::is_string)
        || ["properties", "$ref", "allOf", "anyOf", "oneOf"].iter().any(|word| inputs.contains_key(*word));
    if is_schema {
        return Value::Object(inputs.clone());
    }
    let has_default = |schema: &Value| schema.get("default").is_some();
    let required: Vec<_> =
        inputs.iter().filter(|(_, schema)| !has_default(schema)).map(|(name, _)| name).collect();
    json!({ "type": "object", "properties": inputs, "required": required, "additionalProperties": false })
}

/// The names that the schema gives inputs, if it says that there are no others.
pub(crate) fn names(schema: &Value) -> Option<Vec<&str>> {
    let properties = schema.get("properties")?.as_object()?;
    (schema.get("additionalProperties") == Some(&Value::Bool(false)))
        .then(|| properties.keys().map(String::as_str).collect())
}

/// Applies defaults and checks.
///
/// # Errors
/// What does not fit, all of it.
pub fn accept(schema: &Value, mut inputs: Value) -> Result<Value, String> {
    if inputs.is_null() {
        inputs = json!({});
    }
    fill(schema, &mut inputs, 0);
    let validator = compile(schema)?;
    let mut wrong = Vec::new();
    for error in validator.iter_errors(&inputs).take(MISTAKES_MAX) {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { String::new() } else { format!("{}: ", &place[1..]) };
        let text: String = error.to_string().chars().take(300).collect();
        wrong.push(format!("{place}{text}"));
    }
    if wrong.is_empty() { Ok(inputs) } else { Err(wrong.join("; ")) }
}

/// A schema, ready to check with. It reaches for nothing: what it refers to is in it.
///
/// # Errors
/// It is no schema.
pub fn compile(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::draft202012::new(schema).map_err(|error| format!("is no JSON Schema: {error}"))
}

fn fill(schema: &Value, value: &mut Value, depth: usize) {
    let (Some(properties), Value::Object(map)) = (schema.get("properties").and_then(Value::as_object), value)
    else {
        return;
    };
    if depth > DEPTH_MAX {
        return;
    }
    for (name, schema) in properties {
        if let Some(default) = schema.get("default") {
            map.entry(name.as_str()).or_insert_with(|| default.clone());
        }
        if let Some(inner) = map.get_mut(name) {
            fill(schema, inner, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_applied_and_the_rest_is_checked() {
        let inputs = json!({ "n": { "type": "integer" }, "who": { "type": "string", "default": "Ada" } });
        let schema = schema(inputs.as_object());
        assert_eq!(accept(&schema, json!({ "n": 1 })), Ok(json!({ "n": 1, "who": "Ada" })));
        assert_eq!(accept(&schema, json!({ "n": 1, "who": "x" })), Ok(json!({ "n": 1, "who": "x" })));
        for bad in [
            json!(null),
            json!({ "n": "1" }),
            json!({ "n": 1, "m": 2 }),
            json!([]),
            json!({ "n": 1, "who": 3 }),
        ] {
            assert!(accept(&schema, bad.clone()).is_err(), "{bad}");
        }
        assert_eq!(accept(&super::schema(None), json!({ "any": 1 })), Ok(json!({ "any": 1 })));
        assert_eq!(names(&schema), Some(vec!["n", "who"]));
    }

    #[test]
    fn defaults_deeper_down_are_applied_too() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "type": "object", "default": {}, "properties": { "b": { "default": 2 } } } } });
        assert_eq!(accept(&schema, json!({})), Ok(json!({ "a": { "b": 2 } })));
    }
}
