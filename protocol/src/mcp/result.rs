//! Content blocks, and replies that are tool results already.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A reply that is made of content blocks (`content`, and whatever else a tool result or a prompt has) rather
/// than of data: a method with such a reply sets [`crate::Method::RICH`]. On the native dialect it is a plain object.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Rich(pub Value);

impl JsonSchema for Rich {
    fn schema_name() -> Cow<'static, str> {
        "Rich".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // What a block holds is the protocol's to say, and differs between its revisions.
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": { "description": "Content blocks of the Model Context Protocol, or what goes with them." },
        })
    }
}

impl Rich {
    /// A tool result of these blocks.
    pub fn content(blocks: impl IntoIterator<Item = Value>) -> Self {
        Self(json!({ "content": blocks.into_iter().collect::<Vec<_>>() }))
    }
}

/// A block of text.
pub fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// A picture, in base64.
pub fn image(base64: &str, mime_type: &str) -> Value {
    json!({ "type": "image", "data": base64, "mimeType": mime_type })
}

/// A resource's content as text, in a block.
pub fn embedded(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}

/// A resource's content in base64.
pub fn blob(uri: &str, mime_type: &str, base64: &str) -> Value {
    json!({ "uri": uri, "mimeType": mime_type, "blob": base64 })
}
