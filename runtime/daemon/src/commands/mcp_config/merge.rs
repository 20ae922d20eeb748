//! A snippet into the text of a client's file: what else stands there, comments included, stays as it is.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::{Map, Value, json};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike};

use super::client::Snippet;

/// What says how to reach a server, by the way in. What belongs to the other way must go from an entry: clients
/// that find both choose for themselves.
const STDIO: &[&str] = &["command", "args", "env", "env_vars", "cwd"];
const HTTP: &[&str] = &["url", "httpUrl", "serverUrl", "headers", "bearer_token_env_var"];

/// A file that holds the snippet and nothing else.
pub(super) fn fresh(snippet: &Snippet) -> Result<String, String> {
    if snippet.toml {
        return toml("", snippet);
    }
    let mut document = json!({ snippet.root: { snippet.name.as_str(): snippet.entry } });
    if let Some(input) = &snippet.input {
        document["inputs"] = json!([input]);
    }
    Ok(format!("{document:#}\n"))
}

/// `text` with the snippet in it.
pub(super) fn into(text: &str, snippet: &Snippet) -> Result<String, String> {
    // Some editors begin a file with a byte order mark, which is no part of either language.
    if let Some(text) = text.strip_prefix('\u{feff}') {
        return into(text, snippet).map(|merged| format!("\u{feff}{merged}"));
    }
    match snippet.toml {
        true => toml(text, snippet),
        false if text.trim().is_empty() => fresh(snippet),
        false => jsonc(text, snippet),
    }
}

fn stale(entry: &Map<String, Value>) -> &'static [&'static str] {
    if entry.contains_key("command") { HTTP } else { STDIO }
}

fn entry(snippet: &Snippet) -> Result<&Map<String, Value>, String> {
    snippet.entry.as_object().ok_or_else(|| "an entry is an object".to_owned())
}

// === JSON, with or without comments ===

/// JSON as these clients read it: comments and trailing commas, and no other liberties.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn jsonc(text: &str, snippet: &Snippet) -> Result<String, String> {
    let root = CstRootNode::parse(text, &OPTIONS).map_err(|error| error.to_string())?;
    let top = root.object_value_or_create().ok_or("its top is not an object")?;
    let servers = child(&top, snippet.root)?;
    let ours = child(&servers, &snippet.name)?;
    for key in stale(entry(snippet)?) {
        if let Some(property) = ours.get(key) {
            property.remove();
        }
    }
    overlay(&ours, entry(snippet)?);
    if let Some(input) = &snippet.input {
        ask_for(&top, input)?;
    }
    Ok(root.to_string())
}

/// The object below a key, made if nothing is there. A key that is there twice is refused: which of them a client
/// reads is its own secret.
fn child(of: &CstObject, key: &str) -> Result<CstObject, String> {
    let named =
        of.properties().into_iter().filter(|property| property.decoded_name().as_deref() == Some(key));
    if named.count() > 1 {
        return Err(format!("`{key}` is there twice"));
    }
    of.object_value_or_create(key).ok_or_else(|| format!("`{key}` is not an object"))
}

/// Sets what differs, and touches nothing else.
fn overlay(object: &CstObject, wanted: &Map<String, Value>) {
    for (key, value) in wanted {
        let Some(property) = object.get(key) else {
            object.append(key, input(value));
            continue;
        };
        if let (Some(inner), Value::Object(wanted)) = (property.object_value(), value) {
            overlay(&inner, wanted);
        } else if property.to_serde_value().as_ref() != Some(value) {
            property.set_value(input(value));
        }
    }
}

/// Adds an input, unless one with its id is there.
fn ask_for(top: &CstObject, wanted: &Value) -> Result<(), String> {
    let inputs = top.array_value_or_create("inputs").ok_or("`inputs` is not a list")?;
    let there = inputs
        .elements()
        .iter()
        .filter_map(jsonc_parser::cst::CstNode::to_serde_value)
        .any(|one| one["id"] == wanted["id"]);
    if !there {
        inputs.ensure_multiline();
        inputs.append(input(wanted));
    }
    Ok(())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

// === TOML ===

fn toml(text: &str, snippet: &Snippet) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let servers = table(document.as_table_mut(), snippet.root, false)?;
    let inline = servers.is_inline_table();
    let servers = servers.as_table_like_mut().ok_or("a table was made")?;
    let ours = table(servers, &snippet.name, inline)?;
    let ours = ours.as_table_like_mut().ok_or("a table was made")?;
    for key in stale(entry(snippet)?) {
        ours.remove(key);
    }
    for (key, value) in entry(snippet)? {
        if !ours.get(key).is_some_and(|there| same(there, value)) {
            ours.insert(key, Item::Value(toml_value(value)?));
        }
    }
    Ok(document.to_string())
}

/// The table below a key, made if nothing is there.
fn table<'a>(of: &'a mut dyn TableLike, key: &str, inline: bool) -> Result<&'a mut Item, String> {
    if !of.contains_key(key) {
        let mut table = Table::new();
        table.set_implicit(true);
        of.insert(key, if inline { toml_edit::value(InlineTable::new()) } else { Item::Table(table) });
    }
    let item = of.get_mut(key).filter(|item| item.is_table_like());
    item.ok_or_else(|| format!("`{key}` is not a table"))
}

fn same(there: &Item, wanted: &Value) -> bool {
    match wanted {
        Value::String(text) => there.as_str() == Some(text),
        Value::Array(items) => there.as_array().is_some_and(|array| {
            array.len() == items.len()
                && array.iter().zip(items).all(|(one, item)| one.as_str() == item.as_str())
        }),
        _ => false,
    }
}

/// Codex's entries are texts and lists of texts.
fn toml_value(value: &Value) -> Result<toml_edit::Value, String> {
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Array(items) => {
            items.iter().map(toml_value).collect::<Result<toml_edit::Array, _>>().map(Into::into)
        }
        other => Err(format!("{other} cannot be written as TOML")),
    }
}
