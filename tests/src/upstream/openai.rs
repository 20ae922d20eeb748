//! The scripted upstream's answers as OpenAI gives them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::answer::{Event, Events, texts, vector};
use super::play::{Play, Says, Usage};

/// Any will do; it is short, because tests print it.
const DIMENSIONS: usize = 8;

const ID: &str = "chatcmpl-scripted";

pub(super) fn plain(model: &str, play: &Play) -> Value {
    let (message, finish) = match &play.says {
        Says::Text(_) => (json!({ "role": "assistant", "content": play.says.whole() }), "stop"),
        Says::Tool { name, arguments } => {
            let function = json!({ "name": name, "arguments": arguments.to_string() });
            let call = json!({ "id": "call_1", "type": "function", "function": function });
            (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
        }
    };
    let mut answer = json!({
        "id": ID,
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{ "index": 0, "message": message, "finish_reason": finish, "logprobs": null }],
    });
    if let Some(usage) = play.told() {
        answer["usage"] = told(usage);
    }
    answer
}

pub(super) fn events(body: &Value, model: &str, play: &Play) -> Events {
    let chunk = |choices: Value| {
        json!({
            "id": ID,
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": model,
            "choices": choices,
        })
    };
    let delta = |delta: Value, finish: Option<&str>| {
        Event::of(chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }])))
    };
    let call = |call: Value| delta(json!({ "tool_calls": [call] }), None);
    let (contents, finish) = match &play.says {
        Says::Text(pieces) => {
            (pieces.iter().map(|piece| delta(json!({ "content": piece }), None)).collect(), "stop")
        }
        Says::Tool { name, arguments } => {
            let arguments = arguments.to_string();
            let halves = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
            let function = json!({ "name": name, "arguments": "" });
            let begun = json!({ "index": 0, "id": "call_1", "type": "function", "function": function });
            let more = |part: &str| call(json!({ "index": 0, "function": { "arguments": part } }));
            (vec![call(begun), more(halves.0), more(halves.1)], "tool_calls")
        }
    };
    let mut closing = vec![delta(json!({}), Some(finish))];
    if let Some(usage) = play.told()
        && body["stream_options"]["include_usage"] == true
    {
        let mut last = chunk(json!([]));
        last["usage"] = told(usage);
        closing.push(Event::of(last));
    }
    Events {
        opening: vec![delta(json!({ "role": "assistant", "content": "" }), None)],
        contents,
        closing,
        end: vec![Event::of(json!("[DONE]"))],
    }
}

pub(super) fn models() -> Value {
    let model = |id| json!({ "id": id, "object": "model", "created": 1_700_000_000, "owned_by": "tests" });
    json!({ "object": "list", "data": [model("scripted"), model("scripted-too")] })
}

pub(super) fn embeddings(body: &Value, play: &Play) -> Value {
    let asked = body["dimensions"].as_u64().and_then(|asked| usize::try_from(asked).ok());
    let encoded = body["encoding_format"] == "base64";
    let embedding = |(at, text): (usize, &str)| {
        let vector = vector(text, asked.unwrap_or(DIMENSIONS));
        let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
        let embedding = if encoded { json!(BASE64_STANDARD.encode(bytes)) } else { json!(vector) };
        json!({ "object": "embedding", "index": at, "embedding": embedding })
    };
    let data: Vec<_> = texts(&body["input"]).into_iter().enumerate().map(embedding).collect();
    let mut answer = json!({ "object": "list", "data": data, "model": body["model"] });
    if let Some(Usage { prompt, .. }) = play.told() {
        answer["usage"] = json!({ "prompt_tokens": prompt, "total_tokens": prompt });
    }
    answer
}

fn told(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
    })
}
