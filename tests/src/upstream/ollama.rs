//! The scripted upstream's answers as Ollama's own API gives them: JSON, or a line of JSON for every piece.

use serde_json::{Value, json};

use super::answer::{Event, Events, texts, vector};
use super::play::{Play, Says};

/// As of OpenAI's, any will do.
const DIMENSIONS: usize = 8;

pub(super) fn plain(model: &str, play: &Play) -> Value {
    let message = match &play.says {
        Says::Text(_) => json!({ "role": "assistant", "content": play.says.whole() }),
        Says::Tool { name, arguments } => call(name, arguments),
    };
    last(model, play, &message)
}

pub(super) fn events(model: &str, play: &Play) -> Events {
    let said = |text: &str| json!({ "role": "assistant", "content": text });
    let contents = match &play.says {
        Says::Text(pieces) => pieces.iter().map(|text| said(text)).collect(),
        Says::Tool { name, arguments } => vec![call(name, arguments)],
    };
    let contents = contents.iter().map(|message| Event::of(answer(model, message)));
    let end = vec![Event::of(last(model, play, &said("")))];
    Events { contents: contents.collect(), end, ..Events::default() }
}

pub(super) fn embeddings(body: &Value, play: &Play) -> Value {
    let vectors: Vec<_> = texts(&body["input"]).into_iter().map(|text| vector(text, DIMENSIONS)).collect();
    let mut answer = json!({ "model": body["model"], "embeddings": vectors });
    if let Some(usage) = play.told() {
        answer["prompt_eval_count"] = json!(usage.prompt);
    }
    answer
}

fn call(name: &str, arguments: &Value) -> Value {
    let function = json!({ "name": name, "arguments": arguments });
    json!({ "role": "assistant", "content": "", "tool_calls": [{ "function": function }] })
}

fn last(model: &str, play: &Play, message: &Value) -> Value {
    let mut answer = answer(model, message);
    answer["done"] = json!(true);
    answer["done_reason"] = json!("stop");
    answer["total_duration"] = json!(1_000_000);
    if let Some(usage) = play.told() {
        answer["prompt_eval_count"] = json!(usage.prompt);
        answer["eval_count"] = json!(usage.completion);
    }
    answer
}

fn answer(model: &str, message: &Value) -> Value {
    json!({ "model": model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": false })
}
