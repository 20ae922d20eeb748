//! METHODS.md: the catalogue for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Catalog, Entry};
use crate::error::Code;
use crate::method::Effect;

impl Catalog {
    /// METHODS.md.
    pub fn manual(&self) -> String {
        let mut out = String::from(MANUAL_HEAD);
        for service in self.services() {
            let _ = writeln!(out, "\n## {service}\n");
            for entry in self.iter().filter(|entry| entry.service == service) {
                manual_entry(&mut out, entry);
            }
        }
        out.push_str("\n## Errors\n\n| code | kind | meaning |\n|---|---|---|\n");
        for code in Code::ALL {
            let _ = writeln!(out, "| {} | {} | {} |", code.number(), code.label(), code.meaning());
        }
        out
    }
}

const MANUAL_HEAD: &str = "# Methods\n\nGenerated from the catalogue; `UPDATE=1 make test` rewrites it. \
Params are given by name (an object) or by position (an array, in the order shown). A call by position, or \
without params, gets the original's result where that was a bare array; a call by name gets the object.\n";

fn manual_entry(out: &mut String, entry: &Entry) {
    let effect = match entry.effect {
        Effect { read_only: true, .. } => "read-only",
        Effect { destructive: true, idempotent: true, .. } => "destructive, idempotent",
        Effect { destructive: true, .. } => "destructive",
        Effect { idempotent: true, .. } => "idempotent",
        _ => "adds",
    };
    let tool = if entry.tool { format!("Tool `{}`", entry.tool_name()) } else { "No tool".to_owned() };
    let _ = writeln!(
        out,
        "### {}\n\n{tool} · from {} · {effect}\n\n{}\n",
        entry.name,
        entry.tier.name(),
        entry.description,
    );
    let params = entry.params();
    let required: Vec<&str> = params["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = params["properties"].as_object().filter(|p| !p.is_empty()) else {
        return;
    };
    out.push_str("| param | type | default | meaning |\n|---|---|---|---|\n");
    for (name, schema) in properties {
        let default = match schema.get("default") {
            Some(value) => format!("`{value}`"),
            None if required.contains(&name.as_str()) => "required".into(),
            None => "–".into(),
        };
        let meaning =
            schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(out, "| `{name}` | {} | {default} | {meaning} |", type_name(schema));
    }
    out.push('\n');
}

fn type_name(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(variants) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return variants.iter().map(type_name).collect::<Vec<_>>().join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    match schema.get("type") {
        Some(Value::String(name)) if name == "array" => {
            format!("array of {}", schema.get("items").map_or("anything".into(), type_name))
        }
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".into(),
    }
}
