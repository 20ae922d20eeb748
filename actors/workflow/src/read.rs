//! A file's text, read: every mistake at its own line.

use std::sync::Arc;

use cluster_config::document::{Document, Form, Step as Place, sort};
use cluster_config::{Lent, Mistake, Mistakes};
use serde_json::{Value, json};

use crate::model::Workflow;
use crate::{check, names, original};

static FORM: Lent<Form> = Lent::new(Form::of::<Workflow>);

/// What a workflow must look like: to be held by who reads several, since it is made anew for each reader.
pub fn form() -> Arc<Form> {
    FORM.get()
}

/// The JSON Schema of the format, as it is published.
pub fn schema() -> Value {
    let mut schema = FORM.get().schema().clone();
    // What a person may write shorter than the model has it.
    let one = schema["$defs"]["On"]["properties"]["schedule"]["items"].clone();
    if let Some(schedule) = schema.pointer_mut("/$defs/On/properties/schedule") {
        *schedule = json!({ "description": schedule["description"], "anyOf": [one, { "type": "array", "items": one }] });
    }
    if let Some(root) = schema.as_object_mut() {
        root.shift_remove("required");
    }
    schema["title"] = json!("A workflow of llmbasedos");
    schema
}

/// Reads a workflow. `name` is the file's, `stem` the same without its ending, which is the id of a workflow that says
/// none; `n8n` is where the original's webhooks are that do not say where they are.
///
/// # Errors
/// Every mistake in it, from top to bottom.
pub fn read(text: &str, name: &str, stem: &str, n8n: &str) -> Result<Workflow, Mistakes> {
    let mut document = Document::of(text, name);
    let mut mistakes = document.problems();
    let workflow = match document.take() {
        Some(value) if mistakes.is_empty() => model(&document, value, stem, n8n, &mut mistakes),
        _ => None,
    };
    sort(&mut mistakes);
    match workflow {
        Some(workflow) if mistakes.is_empty() => Ok(workflow),
        _ => Err(Mistakes(mistakes)),
    }
}

fn model(
    document: &Document,
    mut value: Value,
    stem: &str,
    n8n: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Workflow> {
    let mut complain = |path: &[Place], message: String| mistakes.push(document.mistake(path, message));
    if !value.is_object() {
        complain(&[], "must be a mapping with `steps:`".to_owned());
        return None;
    }
    let mut workflow = if original::is_one(&value) {
        match original::translate(&value, stem, n8n) {
            Ok(workflow) => workflow,
            Err(wrong) => {
                for (path, message) in wrong {
                    complain(&path, message);
                }
                return None;
            }
        }
    } else {
        shorthands(&mut value);
        let wrong = FORM.get().complaints(&value);
        if !wrong.is_empty() {
            for (path, message) in wrong {
                complain(&path, message);
            }
            return None;
        }
        match serde_json::from_value::<Workflow>(value) {
            Ok(workflow) => workflow,
            Err(error) => {
                complain(&[], error.to_string());
                return None;
            }
        }
    };
    if workflow.id.is_empty() {
        stem.clone_into(&mut workflow.id);
    }
    names::name_steps(&mut workflow);
    for (path, message) in check::complaints(&workflow) {
        complain(&path, message);
    }
    Some(workflow)
}

/// `on: manual`, and a schedule that is the only one.
fn shorthands(value: &mut Value) {
    let Some(on) = value.get_mut("on") else { return };
    if let Value::String(word) = on {
        *on = json!({ word.as_str(): {} });
    }
    if let Some(schedule) = on.get_mut("schedule")
        && schedule.is_object()
    {
        *schedule = Value::Array(vec![schedule.take()]);
    }
    if let Some(manual) = on.get_mut("manual")
        && manual.is_null()
    {
        *manual = json!({});
    }
}

#[cfg(test)]
mod tests;
