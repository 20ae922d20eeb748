//! The schemas of params and results: valid, closed, documented, and without noise.

use std::collections::BTreeSet;

use protocol::Entry;
use serde_json::{Value, json};

use crate::declared::noise;
use crate::{catalog, none};

/// Places that hold any JSON, and why. Written as `METHOD params|result POINTER`.
const ANY_JSON: &[(&str, &str)] = &[
    ("mcp.listCapabilities result /services/[]/capabilities/[]", "holds the schemas of all other methods"),
    ("mcp.fs.multi_read result /files/[]/error/data", "what an error adds depends on the error"),
    ("mcp.llm.chat params /messages/[]/*", "a message is OpenAI's"),
    ("mcp.llm.chat params /options/*", "fields of a request are OpenAI's"),
    ("mcp.llm.chat result /*", "a completion is OpenAI's"),
    ("mcp.llm.countTokens params /messages/[]/*", "a message is OpenAI's"),
    ("mcp.llm.countTokens params /tools/[]/*", "a tool is OpenAI's"),
    ("mcp.llm.embed params /options/*", "fields of a request are OpenAI's"),
    ("mcp.llm.embed result /*", "a list of embeddings is OpenAI's"),
    ("mcp.mail.parseIcalendar result /events/[]/*", "properties of a calendar entry are RFC 5545's"),
    ("mcp.mail.listEvents result /events/[]/*", "properties of a calendar entry are RFC 5545's"),
    ("mcp.agent.listWorkflows result /workflows/[]/input_schema/*", "a schema is the workflow's"),
    ("mcp.agent.runWorkflow params /inputs/*", "inputs are the workflow's"),
    ("mcp.agent.runWorkflow result /output", "an output is the workflow's"),
    ("mcp.agent.getWorkflowStatus result /output", "an output is the workflow's"),
    ("mcp.agent.getRun result /inputs/*", "inputs are the workflow's"),
    ("mcp.agent.getRun result /output", "an output is the workflow's"),
    ("mcp.agent.getRun result /error", "what an error adds depends on the error"),
    ("mcp.agent.getRun result /steps/[]/outcome", "a result is the step's"),
    ("mcp.agent.getRun result /waits_for/[]/outcome", "a result is the step's"),
    ("mcp.agent.getRun result /events/[]/data", "what goes with an event is the workflow's"),
    ("mcp.agent.followRun result /output", "an output is the workflow's"),
    ("mcp.agent.approve params /outcome", "a result is the step's"),
    ("mcp.prompts.get result /*", "content blocks are the Model Context Protocol's"),
    ("mcp.admin.config result /settings/[]/value", "a setting has the type that it has"),
    (
        "mcp.licence.check result /quotas/api_requests_remaining_in_window",
        "the original's: a number or a word",
    ),
    ("mcp.licence.check result /quotas/allowed_llm_models", "the original's: a list or a word"),
    ("mcp.licence.check result /quotas/max_llm_tokens_per_request", "the original's: a number or a word"),
    ("mcp.licence.check result /quotas/max_llm_tokens_per_day", "the original's: a number or a word"),
    ("mcp.licence.check result /quotas/llm_tokens_today_remaining", "the original's: a number or a word"),
];

/// A schema somewhere in a schema.
struct Part<'a> {
    /// Where: `/entries/[]/name`.
    place: String,
    schema: &'a Value,
    /// Whether the schema around it describes the same value.
    in_place: bool,
    /// Whether it is a named member of an object.
    member: bool,
}

/// Every schema in `schema`, itself first.
fn parts(schema: &Value) -> Vec<Part<'_>> {
    fn visit<'a>(part: Part<'a>, found: &mut Vec<Part<'a>>) {
        let Part { place, schema, .. } = &part;
        let (place, schema) = (place.clone(), *schema);
        found.push(part);
        let inner = |place: String, schema, in_place, member| Part { place, schema, in_place, member };
        for key in ["allOf", "anyOf", "oneOf"] {
            for variant in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                visit(inner(place.clone(), variant, true, false), found);
            }
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            visit(inner(format!("{place}/{name}"), member, false, true), found);
        }
        for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            visit(inner(format!("#{name}"), definition, false, false), found);
        }
        for item in schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten() {
            visit(inner(format!("{place}/[]"), item, false, false), found);
        }
        if let Some(items) = schema.get("items") {
            visit(inner(format!("{place}/[]"), items, false, false), found);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            visit(inner(format!("{place}/*"), values, false, false), found);
        }
    }
    let mut found = Vec::new();
    visit(Part { place: String::new(), schema, in_place: false, member: false }, &mut found);
    found
}

/// What is wrong with any part of any schema, as `complaint` sees it.
fn everywhere(complaint: impl Fn(&Entry, &str, &Part<'_>) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for entry in catalog().iter() {
        for (what, schema) in [("params", &entry.params()), ("result", &entry.result())] {
            for part in parts(schema) {
                let said = complaint(entry, what, &part);
                wrong.extend(said.map(|why| format!("{} {what} {}: {why}", entry.name, part.place)));
            }
        }
    }
    wrong
}

fn allows_object(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => schema.get("properties").is_some(),
    }
}

#[test]
fn schemas_are_valid_in_the_draft_of_the_model_context_protocol() {
    let mut wrong = Vec::new();
    for entry in catalog().iter() {
        for (what, schema) in [("params", &entry.params()), ("result", &entry.result())] {
            if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
                wrong.push(format!("{} {what}: {error}", entry.name));
            }
            if let Err(error) = jsonschema::draft202012::new(schema) {
                wrong.push(format!("{} {what}: {error}", entry.name));
            }
        }
    }
    none(&wrong);
}

#[test]
fn the_root_is_an_object_without_noise() {
    none(&everywhere(|_, _, part| {
        let root = part.place.is_empty() && !part.in_place;
        let (schema, noise) = (part.schema, ["title", "$schema", "$id", "description"]);
        if root && schema["type"] != "object" {
            Some(format!("type is {}", schema["type"]))
        } else if root && let Some(key) = noise.iter().find(|key| schema.get(**key).is_some()) {
            Some(format!("has {key}"))
        } else {
            schema.get("title").map(|title| format!("has the title {title}"))
        }
    }));
}

#[test]
fn objects_are_closed() {
    none(&everywhere(|_, _, part| {
        let closed = |key: &str| part.schema.get(key).is_some_and(|value| *value != json!(true));
        let open = !closed("additionalProperties") && !closed("unevaluatedProperties");
        (allows_object(part.schema) && !part.in_place && open).then(|| format!("is open: {}", part.schema))
    }));
}

#[test]
fn only_known_places_hold_any_json() {
    let any = |schema: &Value| {
        let says = ["type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "properties"];
        *schema != json!(false) && says.iter().all(|key| schema.get(*key).is_none())
    };
    let found = everywhere(|_, _, part| (any(part.schema) && !part.in_place).then(String::new));
    let found: BTreeSet<_> = found.iter().map(|place| place.trim_end_matches(": ")).collect();
    let known: BTreeSet<_> = ANY_JSON.iter().map(|(place, _)| *place).collect();
    let unknown = found.difference(&known).map(|place| format!("{place} holds any JSON: say what it holds"));
    let gone = known.difference(&found).map(|place| format!("{place} is in the list for nothing"));
    none(&unknown.chain(gone).collect::<Vec<_>>());
}

#[test]
fn everything_that_has_a_name_is_documented() {
    none(&everywhere(|_, _, part| {
        if !part.member || part.schema.get("const").is_some() {
            return None;
        }
        let Some(text) = part.schema["description"].as_str() else {
            return Some("has no description".into());
        };
        let begins = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '`' || c == '…');
        (!begins || !text.ends_with(['.', '…'])).then(|| format!("is no sentence: {text}"))
    }));
}

#[test]
fn descriptions_are_for_the_reader_of_the_schema() {
    none(&everywhere(|_, _, part| {
        let text = part.schema["description"].as_str()?;
        noise(text).map(|noise| format!("has {noise}: {text}"))
    }));
}

#[test]
fn defaults_fit_and_required_params_come_first() {
    let mut wrong = Vec::new();
    for entry in catalog().iter() {
        let params = entry.params();
        let properties = params["properties"].as_object().expect("an object's schema has properties");
        let names: Vec<_> = properties.keys().collect();
        assert_eq!(entry.positions.iter().collect::<Vec<_>>(), names, "{}", entry.name);
        let required = params["required"].as_array().cloned().unwrap_or_default();
        for (at, name) in names.iter().enumerate() {
            if required.contains(&json!(name)) != (at < required.len()) {
                wrong.push(format!("{}: {name} is out of order: required params come first", entry.name));
            }
        }
        for (name, schema) in properties {
            let Some(default) = schema.get("default") else {
                if !required.contains(&json!(name)) {
                    wrong.push(format!("{} {name}: neither required nor with a default", entry.name));
                }
                continue;
            };
            if !jsonschema::draft202012::new(schema).is_ok_and(|schema| schema.is_valid(default)) {
                wrong.push(format!("{} {name}: the default {default} does not fit", entry.name));
            }
        }
    }
    none(&wrong);
}
