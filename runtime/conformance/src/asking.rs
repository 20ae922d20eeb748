//! How a method asks: it ends with its questions and is called again with the answers. Answers are given once, so
//! what was answered while something else was not is kept in the state.

use protocol::mcp::InputRequest;
use protocol::{Context, Error};
use serde_json::{Map, Value, json};

/// What is kept between two rounds whether or not anything was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// A state only if there are answers to keep.
    IfNeeded,
    /// A state in any case.
    Always,
}

/// The answers to all of these questions, or the error that asks those that are open.
pub(crate) fn ask<const N: usize>(
    context: &Context,
    keep: Keep,
    questions: [(&'static str, InputRequest); N],
) -> Result<Map<String, Value>, Error> {
    let mut answers = kept(context);
    let mut open = Vec::new();
    for (name, request) in questions {
        if let Some(answer) = context.answer(name) {
            answers.insert(name.to_owned(), answer.clone());
        } else if !answers.contains_key(name) {
            if let Some(missing) = request.needs().filter(|needed| !context.can(*needed)) {
                return Err(Error::missing_capability(missing));
            }
            open.push((name, request));
        }
    }
    if open.is_empty() {
        return Ok(answers);
    }
    let state = (keep == Keep::Always || !answers.is_empty()).then(|| json!({ "answers": answers }));
    Err(Error::input_required(open, state))
}

/// What was answered in earlier rounds.
fn kept(context: &Context) -> Map<String, Value> {
    let state = context.inputs.as_ref().and_then(|inputs| inputs.state.as_ref());
    state.and_then(|state| state["answers"].as_object()).cloned().unwrap_or_default()
}

/// A form of one field that must be filled in.
pub(crate) fn field(message: &str, name: &str, kind: &str) -> InputRequest {
    let schema = json!({ "type": "object", "properties": { name: { "type": kind } }, "required": [name] });
    InputRequest::elicitation(message, &schema)
}

/// A field of a form that was sent; what was not sent is said.
pub(crate) fn filled(answer: &Value, name: &str) -> String {
    match (&answer["content"][name], answer["action"].as_str()) {
        (Value::Null, action) => format!("({})", action.unwrap_or("nothing")),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    }
}

/// What a form came to: how it was closed, and with what.
pub(crate) fn outcome(answer: &Value) -> (&str, &Value) {
    (answer["action"].as_str().unwrap_or_default(), &answer["content"])
}

/// The text of a model's answer.
pub(crate) fn sampled(answer: &Value) -> &str {
    answer["content"]["text"].as_str().unwrap_or_default()
}
