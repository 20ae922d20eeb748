//! A method as a tool: name, schemas, annotations, written once for all who may see it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::terse;
use crate::catalog::Entry;
use crate::dispatch::Common;
use crate::method::TaskSupport;

/// Hosts put their own prefix (`mcp__llmbasedos__`, 17 characters) before a tool's name and allow 64 in all.
const NAME_MAX: usize = 40;

/// Claude Code cuts descriptions at 2 KB, and so do others after it.
const DESCRIPTION_MAX: usize = 2000;

/// One tool.
#[derive(Debug)]
pub struct Tool {
    /// `fs_list`.
    pub name: String,
    /// The method behind it.
    pub entry: Arc<Entry>,
    /// The `Tool` object of `tools/list`, as JSON.
    pub text: Arc<str>,
    /// Arguments that a request over HTTP repeats in headers (`x-mcp-header`).
    pub headers: Vec<HeaderParam>,
    /// Whether the method takes params by position only: they are in the argument `params`.
    pub by_position: bool,
    /// Whether its results conform to an output schema.
    pub structured: bool,
}

/// An argument that is repeated in the header `Mcp-Param-NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    /// What follows `Mcp-Param-`.
    pub header: String,
    /// Where in the arguments: the names of nested properties.
    pub place: Vec<String>,
}

/// The tools that one kind of caller may call, by name.
#[derive(Debug, Default)]
pub struct Toolbox {
    tools: Vec<Arc<Tool>>,
    by_name: HashMap<String, usize>,
    /// The list as it is shown, as it was first written, in either form.
    shown: [OnceLock<Common>; 2],
}

impl Toolbox {
    /// Tools in the order of their names; of two of one name the first stays.
    pub fn new(tools: impl IntoIterator<Item = Arc<Tool>>) -> Self {
        let mut all: Vec<_> = tools.into_iter().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all.dedup_by(|later, first| later.name == first.name);
        let by_name = all.iter().enumerate().map(|(at, tool)| (tool.name.clone(), at)).collect();
        Self { tools: all, by_name, shown: Default::default() }
    }

    /// The list of them as it is shown, in one of two forms; written by `write` if nobody has yet. It lasts as long as
    /// these are the tools.
    pub fn shown(&self, form: bool, write: impl FnOnce() -> String) -> &Common {
        self.shown[usize::from(form)].get_or_init(|| Common::of(write()))
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Tool>> {
        self.by_name.get(name).map(|at| &self.tools[*at])
    }

    /// All, by name.
    pub fn all(&self) -> &[Arc<Tool>] {
        &self.tools
    }

    /// Whether the method of this native name is among them.
    pub fn has_method(&self, method: &str) -> bool {
        self.get(&tool_name(method)).is_some_and(|tool| tool.entry.name == method)
    }
}

/// The tool of a method: `mcp.mail.listMessages` is `mail_list_messages`. At most 44 characters of
/// `[a-z0-9_]`; a longer name ends in a hash of itself.
pub fn tool_name(method: &str) -> String {
    let mut tool = String::new();
    for c in method.strip_prefix("mcp.").unwrap_or(method).chars() {
        match c {
            c if c.is_ascii_uppercase() => {
                tool.push('_');
                tool.push(c.to_ascii_lowercase());
            }
            c if c.is_ascii_alphanumeric() => tool.push(c),
            _ => tool.push('_'),
        }
    }
    if tool.len() > NAME_MAX {
        // FNV-1a: two long names must differ, nobody must be kept from making them equal.
        let hash = method
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        tool.truncate(NAME_MAX - 9);
        let _ = write!(tool, "_{hash:08x}");
    }
    tool
}

impl Tool {
    /// The tool of a method.
    pub fn of(entry: &Arc<Entry>) -> Self {
        let name = entry.tool_name();
        let (input, by_position) = input_schema(&entry.params());
        let output = output_schema(entry);
        let structured = output.is_some();
        let mut tool = json!({
            "name": name,
            "title": title(&entry.name),
            "description": description(entry),
            "inputSchema": input,
        });
        if let Some(output) = output {
            tool["outputSchema"] = output;
        }
        tool["annotations"] = json!({
            "title": title(&entry.name),
            "readOnlyHint": entry.effect.read_only,
            "destructiveHint": entry.effect.destructive,
            "idempotentHint": entry.effect.idempotent,
            "openWorldHint": entry.effect.open_world,
        });
        let headers = header_params(&tool["inputSchema"]);
        Self {
            name,
            entry: Arc::clone(entry),
            text: tool.to_string().into(),
            headers,
            by_position,
            structured,
        }
    }

    /// Whether a call of it may become a task.
    pub fn task(&self) -> TaskSupport {
        self.entry.task
    }
}

/// `mcp.mail.listMessages` is `List messages (mail)`.
fn title(method: &str) -> String {
    let parts: Vec<_> = method.strip_prefix("mcp.").unwrap_or(method).split('.').collect();
    let (service, verb) = match parts[..] {
        [verb] => (None, verb),
        [service, ..] => (Some(service), parts[parts.len() - 1]),
        [] => (None, method),
    };
    let mut title = String::new();
    for c in verb.chars() {
        match c {
            '_' | '-' => title.push(' '),
            c if c.is_ascii_uppercase() => {
                title.push(' ');
                title.push(c.to_ascii_lowercase());
            }
            c if title.is_empty() => title.push(c.to_ascii_uppercase()),
            c => title.push(c),
        }
    }
    service.map_or(title.clone(), |service| format!("{title} ({service})"))
}

/// The method's description with other methods called by their tools' names, cut at the end of a sentence.
fn description(entry: &Entry) -> String {
    let mut text = String::new();
    let mut rest = entry.description.as_str();
    while let Some(at) = rest.find("mcp.") {
        let name: String =
            rest[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')).collect();
        let name = name.trim_end_matches('.');
        text.push_str(&rest[..at]);
        // `mcp.progress` is a notification, and `mcp.fs.*` a pattern.
        let is_method = name.matches('.').count() >= 2 && !rest[at + name.len()..].starts_with(".*");
        text.push_str(&if is_method { tool_name(name) } else { name.to_owned() });
        rest = &rest[at + name.len()..];
    }
    text.push_str(rest);
    if text.len() > DESCRIPTION_MAX {
        let mut end = DESCRIPTION_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(text[..end].rfind(". ").map_or(end, |at| at + 1));
    }
    text
}

/// The schema of the arguments, an object whatever the method takes; and whether its params are by position.
fn input_schema(params: &Value) -> (Value, bool) {
    let mut schema = params.clone();
    modernise(&mut schema);
    let is_object =
        schema["type"] == "object" || (schema.get("type").is_none() && schema.get("properties").is_some());
    if is_object {
        schema["type"] = "object".into();
        return (schema, false);
    }
    let wrapped = json!({ "type": "object", "properties": { "params": schema }, "required": ["params"] });
    (wrapped, true)
}

/// Tuples of the older drafts (`items: [..]`) as 2020-12 has them, schemas as objects, and no formats that only
/// programs of one language know: validators warn of each.
fn modernise(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("items").is_some_and(Value::is_array) {
                let tuple = map.remove("items").unwrap_or_default();
                map.insert("prefixItems".into(), tuple);
                if let Some(others) = map.remove("additionalItems") {
                    map.insert("items".into(), others);
                }
                map.remove("$schema");
            }
            if map.get("format").and_then(Value::as_str).is_some_and(is_width) {
                map.remove("format");
            }
            // `true` allows anything, but hosts that read schemas strictly want an object that does.
            for key in ["items", "properties"] {
                match map.get_mut(key) {
                    Some(any @ Value::Bool(true)) => *any = json!({}),
                    Some(Value::Object(named)) if key == "properties" => {
                        named.values_mut().filter(|any| **any == true).for_each(|any| *any = json!({}));
                    }
                    _ => {}
                }
            }
            map.values_mut().for_each(modernise);
        }
        Value::Array(items) => items.iter_mut().for_each(modernise),
        _ => {}
    }
}

/// Whether a format says how wide a number is: `uint64`, `double`.
fn is_width(format: &str) -> bool {
    let bits = format.trim_start_matches('u').strip_prefix("int");
    matches!(format, "float" | "double")
        || bits.is_some_and(|bits| bits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The schema of the structured result, for methods whose results are known to conform. Clients check results by it;
/// what is for people would be a third of the list, and is in the method's own documentation. A result that only looks
/// may be cut, which is said in its place.
fn output_schema(entry: &Entry) -> Option<Value> {
    let mut result = entry.result();
    if !entry.own || entry.rich || result["type"] != "object" {
        return None;
    }
    modernise(&mut result);
    terse::without_words(&mut result);
    if !entry.effect.read_only {
        return Some(result);
    }
    let cut = json!({
        "properties": { "too_large": { "type": "object" } },
        "required": ["too_large"],
    });
    let Value::Object(mut whole) = result else { return None };
    let definitions = whole.remove("$defs");
    let mut schema = json!({ "type": "object", "anyOf": [whole, cut] });
    if let Some(definitions) = definitions {
        schema["$defs"] = definitions;
    }
    Some(schema)
}

/// The arguments that headers repeat, as `x-mcp-header` marks them.
fn header_params(schema: &Value) -> Vec<HeaderParam> {
    fn walk(schema: &Value, place: &mut Vec<String>, found: &mut Vec<HeaderParam>) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        for (name, property) in properties {
            place.push(name.clone());
            let plain = matches!(property["type"].as_str(), Some("string" | "integer" | "boolean"));
            if let Some(header) = property["x-mcp-header"].as_str()
                && plain
            {
                found.push(HeaderParam { header: header.to_owned(), place: place.clone() });
            }
            walk(property, place, found);
            place.pop();
        }
    }
    let mut found = Vec::new();
    walk(schema, &mut Vec::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_what_hosts_allow() {
        assert_eq!(tool_name("mcp.fs.list"), "fs_list");
        assert_eq!(tool_name("mcp.mail.listMessages"), "mail_list_messages");
        assert_eq!(tool_name("mcp.a-b.c d"), "a_b_c_d");
        let long = ["a", "b"].map(|end| tool_name(&format!("mcp.service.{}{end}", "long".repeat(20))));
        assert!(long.iter().all(|name| name.len() == NAME_MAX), "{long:?}");
        assert_ne!(long[0], long[1]);
    }

    #[test]
    fn titles_are_for_people() {
        assert_eq!(title("mcp.mail.listMessages"), "List messages (mail)");
        assert_eq!(title("mcp.fs.multi_read"), "Multi read (fs)");
        assert_eq!(title("mcp.hello"), "Hello");
    }

    #[test]
    fn arguments_are_an_object_whatever_the_method_takes() {
        let object = json!({ "type": "object", "properties": {} });
        assert_eq!(input_schema(&object), (object.clone(), false));
        let tuple = json!({ "type": "array", "items": [{ "type": "string" }], "additionalItems": false });
        let (schema, by_position) = input_schema(&tuple);
        assert!(by_position);
        assert_eq!(
            schema["properties"]["params"],
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": false })
        );
    }

    #[test]
    fn arguments_in_headers_are_found_wherever_they_are() {
        let schema = json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "deep": { "type": "object", "properties": { "n": { "type": "integer", "x-mcp-header": "N" } } },
            "float": { "type": "number", "x-mcp-header": "Float" },
        } });
        let found: Vec<_> =
            header_params(&schema).into_iter().map(|param| (param.header, param.place.join("."))).collect();
        assert_eq!(found, [("Region".into(), "region".into()), ("N".into(), "deep.n".to_owned())]);
    }
}
