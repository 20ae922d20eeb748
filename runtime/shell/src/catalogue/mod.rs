//! The methods this caller may use, as `mcp.listCapabilities` tells them: names, parameters, types. Pure; everything
//! that knows a method by more than its name (arguments, completion, help) reads it here.

mod kind;

use serde_json::{Map, Value};

pub(crate) use self::kind::Kind;

/// All methods by name, in order.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) methods: Vec<Method>,
}

#[derive(Debug)]
pub(crate) struct Method {
    /// `mcp.fs.list`.
    pub(crate) name: String,
    /// `fs_list`.
    pub(crate) tool: String,
    pub(crate) service: String,
    pub(crate) description: String,
    pub(crate) destructive: bool,
    /// In the order in which words fill them.
    pub(crate) params: Vec<Param>,
    /// Third-party methods of the original's kind take an array only.
    pub(crate) array_only: bool,
}

#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) description: String,
}

impl Catalogue {
    /// Reads the answer of `mcp.listCapabilities`. What is not understood is passed over: a stranger's method
    /// without a schema can still be called.
    pub(crate) fn read(answer: &Value) -> Self {
        let services = match answer {
            Value::Object(object) => object.values().find_map(Value::as_array),
            other => other.as_array(),
        };
        let mut methods: Vec<Method> = services.into_iter().flatten().flat_map(service).collect();
        methods.sort_by(|a, b| a.name.cmp(&b.name));
        Self { methods }
    }

    /// The method of this name: in full, without `mcp.`, or as a tool.
    pub(crate) fn find(&self, word: &str) -> Option<&Method> {
        let full = format!("mcp.{word}");
        let by = |test: &dyn Fn(&&Method) -> bool| self.methods.iter().find(test);
        by(&|method| method.name == word)
            .or_else(|| by(&|method| method.name == full))
            .or_else(|| by(&|method| method.tool == word))
    }

    /// The methods of one service.
    pub(crate) fn service<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Method> {
        self.methods.iter().filter(move |method| method.service == name)
    }

    /// The services' names, each once, in order of their methods.
    pub(crate) fn services(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.methods.iter().map(|method| method.service.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Method {
    pub(crate) fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Whether its `path`, `from` and `to` are paths under the virtual root (a mail's `from` is not).
    pub(crate) fn has_paths(&self) -> bool {
        self.service == "fs"
    }

    /// `mcp.fs.list [path] [limit] …`, required ones without brackets.
    pub(crate) fn usage(&self) -> String {
        let mut out = self.name.clone();
        for param in &self.params {
            let name = param.name.to_uppercase();
            out.extend(if param.required { [" ", &name, ""] } else { [" [", &name, "]"] });
        }
        out
    }
}

impl Param {
    /// Whether words given for it are paths that may be relative.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.name.as_str(), "path" | "paths" | "from" | "to" | "source" | "destination")
    }
}

fn service(service: &Value) -> Vec<Method> {
    let name = service["service_name"].as_str().unwrap_or("other");
    let list = service["capabilities"].as_array().into_iter().flatten();
    list.filter_map(|capability| method(name, capability)).collect()
}

fn method(service: &str, capability: &Value) -> Option<Method> {
    let name = capability["method"].as_str()?.to_owned();
    let text = |key: &str| capability[key].as_str().unwrap_or_default().to_owned();
    let schema = &capability["params_schema"];
    Some(Method {
        tool: text("tool"),
        service: service.to_owned(),
        description: text("description"),
        destructive: capability["annotations"]["destructiveHint"].as_bool().unwrap_or(false),
        array_only: schema["type"] == "array",
        params: params(schema),
        name,
    })
}

fn params(schema: &Value) -> Vec<Param> {
    // The original's tuple schemas: `items` (draft-07) or `prefixItems`, one schema per position.
    if let Some(items) = schema["prefixItems"].as_array().or_else(|| schema["items"].as_array()) {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        return items
            .iter()
            .zip(0_u64..)
            .map(|(item, position)| {
                let title = item["title"].as_str().map_or_else(|| format!("arg{position}"), str::to_owned);
                param(title, item, position < least, schema)
            })
            .collect();
    }
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let properties: Option<&Map<String, Value>> = schema["properties"].as_object();
    let each = |(name, property): (&String, &Value)| param(name.clone(), property, is_required(name), schema);
    properties.into_iter().flatten().map(each).collect()
}

fn param(name: String, property: &Value, required: bool, root: &Value) -> Param {
    Param {
        name,
        kind: Kind::read(property, root),
        required,
        default: property.get("default").filter(|value| !value.is_null()).cloned(),
        description: property["description"].as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A small catalogue for the tests of everything that reads one.
    pub(crate) fn sample() -> Catalogue {
        let path = json!({ "type": "string", "description": "Where." });
        Catalogue::read(&json!([
            { "service_name": "fs", "capabilities": [
                { "method": "mcp.fs.list", "tool": "fs_list", "description": "Lists a directory.",
                  "params_schema": { "type": "object", "properties": {
                      "path": path, "limit": { "type": ["integer", "null"] },
                      "sort": { "enum": ["name", "size"], "default": "name" } } } },
                { "method": "mcp.fs.write", "tool": "fs_write", "description": "Writes.",
                  "annotations": { "destructiveHint": true },
                  "params_schema": { "type": "object", "required": ["path", "content"], "properties": {
                      "path": path, "content": { "type": "string" },
                      "encoding": { "$ref": "#/$defs/Encoding" }, "append": { "type": "boolean" } },
                      "$defs": { "Encoding": { "oneOf": [{ "const": "text" }, { "const": "base64" }] } } } },
                { "method": "mcp.fs.multi_read", "tool": "fs_multi_read", "description": "Reads many.",
                  "params_schema": { "type": "object", "required": ["paths"], "properties": {
                      "paths": { "type": "array", "items": { "type": "string" } } } } } ] },
            { "service_name": "mail", "capabilities": [
                { "method": "mcp.mail.listMessages", "tool": "mail_list_messages", "description": "Lists mail.",
                  "params_schema": { "type": "object", "properties": { "from": { "type": "string" } } } } ] },
            { "service_name": "old", "capabilities": [
                { "method": "mcp.old.add", "description": "Adds.",
                  "params_schema": { "type": "array", "minItems": 2, "items": [{ "type": "integer" }, {}] } } ] },
        ]))
    }

    #[test]
    fn finds_by_every_form_of_the_name() {
        let catalogue = sample();
        for word in ["mcp.mail.listMessages", "mail.listMessages", "mail_list_messages"] {
            assert_eq!(
                catalogue.find(word).map(|m| m.name.as_str()),
                Some("mcp.mail.listMessages"),
                "{word}"
            );
        }
        assert!(catalogue.find("list").is_none());
    }

    #[test]
    fn kinds_come_from_the_schema() {
        let catalogue = sample();
        let kind = |method: &str, param: &str| {
            catalogue.find(method).unwrap().param(param).unwrap().kind.to_string()
        };
        assert_eq!(kind("fs.list", "limit"), "integer");
        assert_eq!(kind("fs.list", "sort"), "name|size");
        assert_eq!(kind("fs.write", "encoding"), "text|base64");
        assert_eq!(kind("fs.multi_read", "paths"), "list of text");
        assert_eq!(kind("old.add", "arg0"), "integer");
        assert_eq!(
            catalogue.find("fs.write").unwrap().usage(),
            "mcp.fs.write PATH CONTENT [ENCODING] [APPEND]"
        );
    }

    #[test]
    fn nonsense_is_passed_over() {
        for bad in [json!(null), json!([1, {}]), json!([{ "capabilities": [1, { "tool": "x" }] }])] {
            assert!(Catalogue::read(&bad).methods.is_empty(), "{bad}");
        }
    }
}
