//! `defaults/llmbasedos.yaml`, the file that `init` lays out: derived, so that no comment in it can be out of date.

use std::fmt::Write as _;

use serde_json::Value;

use crate::load::SHAPE;
use crate::shape::{first_sentence, plain, text};

/// How wide the comments of the template are.
const WIDTH: usize = 100;

/// What the template sets, so that a directory that `init` laid out is complete in itself.
const SELF_CONTAINED: &[(&str, &str)] = &[("state_dir", "state"), ("run_dir", "run")];

/// `defaults/llmbasedos.yaml`: every setting with its documentation, commented out where it is the default.
pub fn template() -> String {
    let mut page = String::from(HEAD);
    fields(&mut page, &SHAPE.get().schema, "");
    page
}

const HEAD: &str = "\
# The settings of llmbasedos, each with its default. To change one, take the `#` before its key away.
# Relative paths start at the directory of this file. Environment variables (LLMBDO_LISTEN,
# LLMBDO_LIMITS_CALL_SECONDS, ...) and command-line flags win over what is written here.
# `llmbasedos doctor` checks this file; every mistake is reported with its line.
";

fn fields(page: &mut String, schema: &Value, indent: &str) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if !page.ends_with(":\n") {
            page.push('\n');
        }
        comment(page, text(inner), indent);
        if inner.get("properties").is_some() {
            let _ = writeln!(page, "{indent}{key}:");
            fields(page, inner, &format!("{indent}  "));
        } else if let Some((_, value)) = SELF_CONTAINED.iter().find(|(name, _)| name == key) {
            let _ = writeln!(page, "{indent}{key}: {value}");
        } else if inner["items"].get("properties").is_some() {
            let _ = writeln!(page, "{indent}{key}:");
            entries(page, inner, &format!("{indent}  "));
        } else {
            let _ = writeln!(page, "{indent}#{key}:{}", yaml(&inner["default"]));
        }
    }
}

/// The default entries of a list of mappings, written out, with their optional fields commented out.
fn entries(page: &mut String, schema: &Value, indent: &str) {
    let properties = &schema["items"]["properties"];
    for entry in schema["default"].as_array().into_iter().flatten() {
        let required = |key: &str| properties[key].get("default").is_none();
        let mut start = format!("{indent}- ");
        for (n, (key, value)) in entry.as_object().into_iter().flatten().enumerate() {
            let inner = &properties[key.as_str()];
            let indent = if n == 0 { indent.to_owned() } else { format!("{indent}  ") };
            comment(page, &format!("{}.", first_sentence(text(inner))), &indent);
            let hash = if required(key) { "" } else { "#" };
            let _ = writeln!(page, "{start}{hash}{key}:{}", yaml(value));
            start = format!("{indent}{}", if n == 0 { "  " } else { "" });
        }
    }
}

fn comment(page: &mut String, text: &str, indent: &str) {
    let mut line = format!("{indent}#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(page, "{line}");
            line = format!("{indent}#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(page, "{line}");
}

/// A value behind its colon.
fn yaml(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => format!(" {}", plain(value)),
    }
}
