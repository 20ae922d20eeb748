//! The scripted upstream's answers as Gemini gives them.

use serde_json::{Value, json};

use super::answer::{Event, Events, vector};
use super::play::{Play, Says};

/// As of OpenAI's, any will do.
const DIMENSIONS: usize = 8;

pub(super) fn plain(model: &str, play: &Play) -> Value {
    let part = match &play.says {
        Says::Text(_) => json!({ "text": play.says.whole() }),
        Says::Tool { name, arguments } => json!({ "functionCall": { "name": name, "args": arguments } }),
    };
    last(model, play, &[part])
}

pub(super) fn events(model: &str, play: &Play) -> Events {
    let contents = match &play.says {
        Says::Text(pieces) => pieces.iter().map(|text| json!({ "text": text })).collect(),
        Says::Tool { name, arguments } => {
            vec![json!({ "functionCall": { "name": name, "args": arguments } })]
        }
    };
    let contents = contents.into_iter().map(|part| Event::of(answer(model, &[part])));
    // A stream of Gemini's has no end of its own: what ends it is the reason why it does.
    let end = vec![Event::of(last(model, play, &[json!({ "text": "" })]))];
    Events { contents: contents.collect(), end, ..Events::default() }
}

pub(super) fn embeddings(body: &Value) -> Value {
    let requests = body["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text =
        |request: &Value| request["content"]["parts"][0]["text"].as_str().unwrap_or_default().to_owned();
    let embeddings = requests.iter().map(|request| json!({ "values": vector(&text(request), DIMENSIONS) }));
    json!({ "embeddings": embeddings.collect::<Vec<_>>() })
}

fn last(model: &str, play: &Play, parts: &[Value]) -> Value {
    let mut answer = answer(model, parts);
    answer["candidates"][0]["finishReason"] = json!("STOP");
    if let Some(usage) = play.told() {
        answer["usageMetadata"] = json!({
            "promptTokenCount": usage.prompt,
            "candidatesTokenCount": usage.completion,
            "totalTokenCount": usage.total(),
        });
    }
    answer
}

fn answer(model: &str, parts: &[Value]) -> Value {
    json!({
        "candidates": [{ "content": { "role": "model", "parts": parts }, "index": 0 }],
        "modelVersion": model,
        "responseId": "scripted",
    })
}
