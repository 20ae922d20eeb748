//! A schema without what is only for people: what a validator needs of it, and no more.

use serde_json::{Map, Value, json};

/// Keywords that say something and check nothing (JSON Schema 2020-12, Validation, section 9).
const ANNOTATIONS: [&str; 4] = ["title", "description", "default", "examples"];

/// Keywords whose values are schemas by name.
const BY_NAME: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "$defs"];

/// Keywords whose values are no schemas.
const VALUES: [&str; 3] = ["enum", "const", "required"];

/// Takes the annotations away, and writes a choice of constants as an `enum`.
pub(super) fn without_words(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    map.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    for (keyword, value) in map.iter_mut() {
        match value {
            Value::Object(named) if BY_NAME.contains(&keyword.as_str()) => {
                named.values_mut().for_each(without_words);
            }
            Value::Object(_) if !VALUES.contains(&keyword.as_str()) => without_words(value),
            Value::Array(schemas) if !VALUES.contains(&keyword.as_str()) => {
                schemas.iter_mut().for_each(without_words);
            }
            _ => {}
        }
    }
    if let Some(constants) = map.get("oneOf").and_then(constants) {
        map.remove("oneOf");
        map.insert("enum".to_owned(), constants);
    }
}

/// The constants of a choice that is of nothing else.
fn constants(choice: &Value) -> Option<Value> {
    let constant = |one: &Map<String, Value>| {
        let constant = one.get("const")?;
        // A string's type says nothing more than the string.
        let others = one.iter().filter(|(keyword, value)| {
            keyword.as_str() != "const"
                && !(keyword.as_str() == "type" && constant.is_string() && **value == "string")
        });
        (others.count() == 0).then(|| constant.clone())
    };
    let constants: Option<Vec<_>> = choice.as_array()?.iter().map(|one| constant(one.as_object()?)).collect();
    Some(json!(constants?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_checks_stays_and_what_explains_goes() {
        let mut schema = json!({
            "type": "object",
            "description": "A thing.",
            "properties": {
                // Named like keywords.
                "description": { "type": "string", "description": "What it is.", "default": "" },
                "default": { "type": ["integer", "null"], "minimum": 0, "default": null },
                "enum": { "anyOf": [{ "type": "null", "title": "Nothing" }, { "$ref": "#/$defs/Kind" }] },
            },
            "required": ["description"],
            "$defs": { "Kind": { "description": "What kind.", "oneOf": [
                { "type": "string", "const": "file", "description": "A file." },
                { "type": "string", "const": "link", "description": "A link." },
            ] } },
        });
        without_words(&mut schema);
        let checks = json!({
            "type": "object",
            "properties": {
                "description": { "type": "string" },
                "default": { "type": ["integer", "null"], "minimum": 0 },
                "enum": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/Kind" }] },
            },
            "required": ["description"],
            "$defs": { "Kind": { "enum": ["file", "link"] } },
        });
        assert_eq!(schema, checks);
    }

    #[test]
    fn a_choice_of_more_than_constants_stays_one() {
        let choice = json!({ "oneOf": [
            { "const": 1 },
            { "type": "object", "properties": { "at": { "const": "x" } } },
        ] });
        let mut terse = choice.clone();
        without_words(&mut terse);
        assert_eq!(terse, choice);
    }
}
