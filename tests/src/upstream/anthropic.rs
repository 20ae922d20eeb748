//! The scripted upstream's answers as Anthropic's messages API gives them.

use serde_json::{Value, json};

use super::answer::{Event, Events};
use super::play::{Play, Says};

const ID: &str = "msg_scripted";

pub(super) fn plain(model: &str, play: &Play) -> Value {
    let (content, reason) = match &play.says {
        Says::Text(_) => (json!({ "type": "text", "text": play.says.whole() }), "end_turn"),
        Says::Tool { name, arguments } => {
            (json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": arguments }), "tool_use")
        }
    };
    let mut answer = message(model);
    answer["content"] = json!([content]);
    answer["stop_reason"] = json!(reason);
    if let Some(usage) = play.told() {
        answer["usage"] = json!({ "input_tokens": usage.prompt, "output_tokens": usage.completion });
    }
    answer
}

pub(super) fn events(model: &str, play: &Play) -> Events {
    let delta = |delta: Value| {
        Event::named(
            "content_block_delta",
            json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        )
    };
    let (block, contents, reason) = match &play.says {
        Says::Text(pieces) => {
            let told = pieces.iter().map(|text| delta(json!({ "type": "text_delta", "text": text })));
            (json!({ "type": "text", "text": "" }), told.collect::<Vec<_>>(), "end_turn")
        }
        Says::Tool { name, arguments } => {
            let arguments = arguments.to_string();
            let halves = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
            let told = [halves.0, halves.1];
            let told = told.map(|part| delta(json!({ "type": "input_json_delta", "partial_json": part })));
            let block = json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": {} });
            (block, told.into(), "tool_use")
        }
    };
    let mut start = message(model);
    let mut last =
        json!({ "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null } });
    if let Some(usage) = play.told() {
        start["usage"] = json!({ "input_tokens": usage.prompt, "output_tokens": 1 });
        last["usage"] = json!({ "output_tokens": usage.completion });
    }
    let block = json!({ "type": "content_block_start", "index": 0, "content_block": block });
    Events {
        opening: vec![
            Event::named("message_start", json!({ "type": "message_start", "message": start })),
            Event::named("content_block_start", block),
            // The real one sends them too.
            Event::named("ping", json!({ "type": "ping" })),
        ],
        contents,
        closing: vec![
            Event::named("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })),
            Event::named("message_delta", last),
        ],
        end: vec![Event::named("message_stop", json!({ "type": "message_stop" }))],
    }
}

fn message(model: &str) -> Value {
    json!({
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    })
}
