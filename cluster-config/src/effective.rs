//! What is in force and who said so: the answer of `mcp.admin.config`.

use serde::Serialize;
use serde_json::Value;

use crate::load::{LEAVES, Loaded};
use crate::value::pointer;

/// One setting as it is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effective {
    /// `limits.call_seconds`.
    pub key: String,
    /// Its value; a secret is `***`.
    pub value: Value,
    /// `default`, `file llmbasedos.yaml:12`, `env LLMBDO_LIMITS_CALL_SECONDS` or `flag --listen`.
    pub source: String,
}

/// Every setting, in the order of REFERENCE.md.
pub fn effective(loaded: &Loaded) -> Vec<Effective> {
    let document = serde_json::to_value(&loaded.settings).expect("settings are plain data");
    LEAVES
        .get()
        .iter()
        .map(|leaf| Effective {
            key: leaf.key.clone(),
            value: document.pointer(&pointer(&leaf.path)).cloned().unwrap_or_default(),
            source: loaded.origins.of(&leaf.key).to_string(),
        })
        .collect()
}
