//! Resources with fixed contents, and a template that is filled in.

use std::sync::Arc;

use protocol::mcp::{self, FixedResources};
use serde_json::{Value, json};

use crate::samples::PNG;

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";
const WATCHED: &str = "test://watched-resource";

/// All of them.
pub fn resources() -> Arc<dyn FixedResources> {
    Arc::new(Fixed)
}

struct Fixed;

impl FixedResources for Fixed {
    fn list(&self) -> Vec<Value> {
        let resource = |uri: &str, name: &str, mime_type: &str, description: &str| json!({ "uri": uri, "name": name, "mimeType": mime_type, "description": description });
        vec![
            resource(TEXT, "static-text", "text/plain", "A text that never changes."),
            resource(BINARY, "static-binary", "image/png", "A picture that never changes."),
            resource(WATCHED, "watched-resource", "text/plain", "A resource to subscribe to."),
        ]
    }

    fn templates(&self) -> Vec<Value> {
        vec![json!({
            "uriTemplate": "test://template/{id}/data",
            "name": "template",
            "mimeType": "application/json",
            "description": "Data about any id.",
        })]
    }

    fn read(&self, uri: &str) -> Option<Value> {
        let text = |mime_type: &str, text: &str| json!({ "uri": uri, "mimeType": mime_type, "text": text });
        match uri {
            TEXT => Some(text("text/plain", "This is the content of the static text resource.")),
            BINARY => Some(mcp::blob(uri, "image/png", PNG)),
            WATCHED => Some(text("text/plain", "This is the content of the watched resource.")),
            _ => {
                let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
                let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                (!id.is_empty() && !id.contains('/')).then(|| text("application/json", &data.to_string()))
            }
        }
    }
}
