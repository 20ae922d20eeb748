//! A tool whose schema has what is peculiar to JSON Schema 2020-12: it must be listed as it is.

use protocol::dispatch::Payload;
use protocol::{Effect, Entry};
use serde_json::{Value, json};

use crate::samples::said;

/// The tool, which says that it was called.
pub(crate) fn json_schema_tool() -> Result<Entry, String> {
    let mut entry = Entry::remote(
        "mcp.json.schema_2020_12_tool".to_owned(),
        "Tool with JSON Schema 2020-12 features".to_owned(),
        &schema(),
        &json!({ "type": "object" }),
        |_, params| {
            Box::pin(async move {
                let reply = said(&format!("Called with {params}"));
                Ok(Payload::Owned(reply.0.to_string()))
            })
        },
    )?;
    (entry.effect, entry.rich) = (Effect::READ, true);
    Ok(entry)
}

/// The suite's, word for word.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
