//! The original's four types of workflow, translated into the same model, so that its files run as they are.
//!
//! What differs is what was dangerous or broken: inputs are checked against `input_schema`, a name that does not exist is
//! an error and no text, what is put into a text is not evaluated again, and of the inputs only those that the schema
//! names become variables of a container, never one that changes how programs are loaded.

use std::fmt::Write as _;

use cluster_config::document::Step as Place;
use serde_json::{Map, Value, json};

use crate::model::{Docker, Http, Log, Step, Workflow};
use crate::span::Span;

/// Where something is wrong, and what.
type Complaint = (Vec<Place>, String);

const TYPES: &[&str] = &["simple_sequential", "docker", "n8n_webhook", "mcp_sequential_agent"];

/// The seconds that the original waited for a webhook.
const WEBHOOK_SECONDS: u64 = 300;

/// Whether a file is written in the original's way.
pub(crate) fn is_one(value: &Value) -> bool {
    let acts = |step: &Value| step.get("action").is_some();
    value.get("type").is_some()
        || value.get("input_schema").is_some()
        || value["steps"].as_array().is_some_and(|steps| steps.iter().any(acts))
}

/// The workflow that the file means.
pub(crate) fn translate(value: &Value, stem: &str, n8n: &str) -> Result<Workflow, Vec<Complaint>> {
    let mut wrong = Vec::new();
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let id = match text("id") {
        id if id.is_empty() => stem.to_owned(),
        id => id,
    };
    let mut workflow = Workflow {
        name: text("name"),
        description: text("description"),
        inputs: value["input_schema"].as_object().map(schema),
        id,
        ..Workflow::default()
    };
    match value.get("type").map_or(Some("simple_sequential"), Value::as_str) {
        Some("simple_sequential") => simple(value, &mut workflow, &mut wrong),
        Some("docker") => docker(value, &mut workflow, &mut wrong),
        Some("n8n_webhook") => webhook(value, &mut workflow, n8n),
        Some("mcp_sequential_agent") => sequential(value, &mut workflow, &mut wrong),
        _ => {
            let message = format!(
                "must be one of {}, or left out with the steps written in the documented form",
                TYPES.join(", ")
            );
            wrong.push((vec![key("type")], message));
        }
    }
    if wrong.is_empty() { Ok(workflow) } else { Err(wrong) }
}

/// A schema that says its type: those of the original's files do not always.
fn schema(written: &Map<String, Value>) -> Map<String, Value> {
    let mut schema = written.clone();
    schema.entry("type").or_insert_with(|| json!("object"));
    schema
}

fn key(name: &str) -> Place {
    Place::Key(name.to_owned())
}

fn steps<'a>(value: &'a Value, wrong: &mut Vec<Complaint>) -> &'a [Value] {
    match value["steps"].as_array() {
        Some(steps) if !steps.is_empty() => steps,
        _ => {
            wrong.push((vec![key("steps")], "must be a list of steps".to_owned()));
            &[]
        }
    }
}

/// A name for people as one for templates.
fn identifier(name: Option<&str>, n: usize) -> String {
    let made: String = name
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(48)
        .collect();
    let made = made.trim_matches('_');
    if made.is_empty() || made.starts_with(|c: char| c.is_ascii_digit()) {
        format!("step_{}", n + 1)
    } else {
        made.to_owned()
    }
}

fn named(step: &Value, n: usize, taken: &mut Vec<String>) -> Step {
    let name = step["name"].as_str();
    let mut id = identifier(name, n);
    if taken.contains(&id) {
        id = format!("{id}_{}", n + 1);
    }
    taken.push(id.clone());
    Step { id, name: name.unwrap_or_default().to_owned(), ..Step::default() }
}

/// A text that holds no templates, whatever is in it.
fn literal(text: &str) -> String {
    if ["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
        format!("{{{{ {} }}}}", Value::from(text))
    } else {
        text.to_owned()
    }
}

fn simple(value: &Value, workflow: &mut Workflow, wrong: &mut Vec<Complaint>) {
    let mut taken = Vec::new();
    for (n, step) in steps(value, wrong).iter().enumerate() {
        let param = |name: &str| step.get(name).or_else(|| step["params"].get(name));
        let made = named(step, n, &mut taken);
        workflow.steps.push(match step["action"].as_str() {
            Some("log_message") => {
                let message = param("message").map_or_else(String::new, plain);
                Step { log: Some(Log::Text(literal(&message))), ..made }
            }
            Some("sleep") => {
                Step { sleep: Some(param("duration_seconds").cloned().unwrap_or_else(|| json!(1.0))), ..made }
            }
            action => {
                let said = action.unwrap_or_default();
                let message = literal(&format!("unknown action '{said}': left out"));
                let line = crate::model::Line { level: crate::model::Level::Warning, message };
                Step { log: Some(Log::Full(line)), ..made }
            }
        });
    }
    workflow.outputs = Some(json!("{{ inputs }}"));
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Names of variables that decide what programs load or where they are looked for.
fn decides(name: &str) -> bool {
    ["PATH", "HOME", "IFS", "ENV", "BASH_ENV", "SHELL", "NODE_OPTIONS", "PERL5LIB", "RUBYLIB"].contains(&name)
        || ["LD_", "DYLD_", "PYTHON", "JAVA_", "GIT_"].iter().any(|start| name.starts_with(start))
}

fn docker(value: &Value, workflow: &mut Workflow, wrong: &mut Vec<Complaint>) {
    let Some(image) = value["docker_image"].as_str() else {
        wrong.push((Vec::new(), "needs `docker_image`: which image runs".to_owned()));
        return;
    };
    let mut env = Map::new();
    for (name, text) in value["environment"].as_object().into_iter().flatten() {
        env.insert(name.clone(), Value::String(literal(&plain(text))));
    }
    let properties = workflow.inputs.iter().filter_map(|schema| schema.get("properties")?.as_object());
    for name in properties.flat_map(Map::keys) {
        let variable: String =
            name.to_uppercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !decides(&variable) && !env.contains_key(&variable) {
            let name = Value::from(name.as_str());
            env.insert(variable, Value::String(format!("{{{{ inputs[{name}] | default('') }}}}")));
        }
    }
    let command = value.get("command").filter(|command| !command.is_null()).map(written);
    let run = Docker {
        image: literal(image),
        command,
        env,
        inputs: Some(json!("{{ inputs }}")),
        ..Docker::default()
    };
    workflow.steps.push(Step { id: "run".to_owned(), docker: Some(run), ..Step::default() });
    workflow.outputs = Some(json!({
        "message": "Docker container finished.",
        "exit_code": "{{ steps.run.exit_code }}",
        "container_id": "{{ steps.run.container_id }}",
    }));
}

/// A value in which nothing is evaluated.
fn written(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(literal(text)),
        Value::Array(items) => items.iter().map(written).collect(),
        other => other.clone(),
    }
}

fn webhook(value: &Value, workflow: &mut Workflow, n8n: &str) {
    let own = || format!("{}/webhook/{}", n8n.trim_end_matches('/'), workflow.id);
    let url = value["webhook_url"].as_str().filter(|url| !url.is_empty()).map_or_else(own, literal);
    let timeout = value.get("timeout_seconds").and_then(|seconds| Span::of_value(seconds).ok());
    let timeout = Some(timeout.unwrap_or(Span::seconds(WEBHOOK_SECONDS)));
    let request = Http {
        method: Some("POST".to_owned()),
        url,
        json: Some(json!("{{ inputs }}")),
        timeout,
        ..Http::default()
    };
    workflow.steps.push(Step { id: "webhook".to_owned(), http: Some(request), timeout, ..Step::default() });
    workflow.outputs = Some(json!(
        "{{ steps.webhook.json if steps.webhook.json is defined else {'raw_response': steps.webhook.body} }}"
    ));
}

fn sequential(value: &Value, workflow: &mut Workflow, wrong: &mut Vec<Complaint>) {
    let mut taken = Vec::new();
    for (n, step) in steps(value, wrong).iter().enumerate() {
        let mut complain = |name: &str, message: &str| {
            wrong.push((vec![key("steps"), Place::Index(n), key(name)], message.to_owned()));
        };
        if step["action"].as_str().is_some_and(|action| action != "mcp_call") {
            complain("action", "must be `mcp_call`: a workflow of this type calls methods");
            continue;
        }
        let Some(method) = step["method"].as_str() else {
            complain("method", "is missing: which method is called, as `mcp.fs.read`");
            continue;
        };
        let made = named(step, n, &mut taken);
        let with = step
            .get("params_template")
            .filter(|params| !params.is_null())
            .map(|params| template(params, None));
        let id = made.id.clone();
        workflow.steps.push(Step { call: Some(method.to_owned()), with, ..made });
        let outputs = step["outputs_to_context"].as_object();
        if let Some(outputs) = outputs.filter(|outputs| !outputs.is_empty()) {
            let set = outputs.iter().map(|(name, value)| (name.clone(), template(value, Some(&id))));
            let id = format!("{id}_context");
            taken.push(id.clone());
            workflow.steps.push(Step { id, set: Some(set.collect()), ..Step::default() });
        }
    }
    workflow.outputs = Some(json!("{{ vars }}"));
}

/// A template of the original's in ours: `a.0` is `a[0]`, and `result` is what the step came to.
fn template(value: &Value, result: Option<&str>) -> Value {
    match value {
        Value::String(text) => Value::String(rewrite(text, result)),
        Value::Array(items) => items.iter().map(|item| template(item, result)).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), template(value, result))).collect()
        }
        other => other.clone(),
    }
}

fn rewrite(text: &str, result: Option<&str>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(open) = rest.find("{{") {
        let Some(close) = rest[open..].find("}}").map(|close| open + close) else { break };
        out.push_str(&rest[..open + 2]);
        out.push_str(&inside(&rest[open + 2..close], result));
        out.push_str("}}");
        rest = &rest[close + 2..];
    }
    // What is no placeholder was text in the original.
    out + &rest.replace("{%", "{{ '{%' }}").replace("{#", "{{ '{#' }}")
}

/// The words of one placeholder, but for those in quotes.
fn inside(source: &str, result: Option<&str>) -> String {
    let letters: Vec<char> = source.chars().collect();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut out, mut at, mut quote) = (String::new(), 0, None);
    while let Some(&c) = letters.get(at) {
        if quote.is_some() || c == '"' || c == '\'' {
            quote = match quote {
                Some(open) if open == c => None,
                Some(open) => Some(open),
                None => Some(c),
            };
            out.push(c);
            at += 1;
        } else if word(c) {
            let end =
                letters[at..].iter().position(|c| !word(*c)).map_or(letters.len(), |length| at + length);
            let name: String = letters[at..end].iter().collect();
            let member = out.ends_with('.');
            match (result, &*name) {
                (Some(id), "result") if !member => {
                    out.push_str("steps.");
                    out.push_str(id);
                }
                _ if member && name.chars().all(|c| c.is_ascii_digit()) && !ends_in_digit(&out) => {
                    out.pop();
                    let _ = write!(out, "[{name}]");
                }
                (_, "context") if !member => out.push_str("vars"),
                _ => out.push_str(&name),
            }
            at = end;
        } else {
            out.push(c);
            at += 1;
        }
    }
    out
}

/// Whether the dot at its end is one of a number: `1.` of `1.5`.
fn ends_in_digit(out: &str) -> bool {
    let before = out[..out.len() - 1]
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ']' && c != '.')
        .next();
    before.is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()))
}
