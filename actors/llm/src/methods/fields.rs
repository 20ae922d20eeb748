//! Objects whose members are OpenAI's to say, not ours.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Such an object.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": { "description": "As OpenAI's API reference has it." },
        })
    }
}

/// All of them as one array.
pub(super) fn array(all: Vec<Fields>) -> Value {
    Value::Array(all.into_iter().map(|fields| Value::Object(fields.0)).collect())
}
