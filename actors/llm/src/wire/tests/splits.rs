//! Wherever a text is cut, it is the same text; whatever a provider sends, nothing panics.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answers::{assembled, recorded};
use super::{CREATED_S, ID, PROTOCOLS, text};
use crate::wire::{Assembler, Piece, Protocol};

/// The text, cut into pieces at `cuts`, which are counted in characters.
fn cut(text: &str, cuts: &[usize]) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (characters.len() + 1)).collect();
    at.extend([0, characters.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| characters[pair[0]..pair[1]].iter().collect()).collect()
}

/// One answer with text and a call, as each provider would stream it in the pieces `said` and `arguments`.
fn streamed(protocol: Protocol, said: &[String], arguments: &[String]) -> Vec<Value> {
    match protocol {
        Protocol::OpenAi => {
            let chunk = |delta: Value, finish: Option<&str>| {
                json!({"id": ID, "object": "chat.completion.chunk", "created": CREATED_S, "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
            };
            let call = json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}});
            let mut events: Vec<Value> =
                said.iter().map(|text| chunk(json!({"content": text}), None)).collect();
            events.push(chunk(json!({"tool_calls": [call]}), None));
            events.extend(arguments.iter().map(|text| {
                chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}), None)
            }));
            events.push(chunk(json!({}), Some("tool_calls")));
            events
        }
        Protocol::Anthropic => {
            let delta = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
            let start =
                |block: Value| json!({"type": "content_block_start", "index": 0, "content_block": block});
            let stop = json!({"type": "content_block_stop", "index": 0});
            let mut events = vec![start(json!({"type": "text", "text": ""}))];
            events.extend(said.iter().map(|text| delta(json!({"type": "text_delta", "text": text}))));
            events.push(stop.clone());
            events.push(start(json!({"type": "tool_use", "id": "a", "name": "f", "input": {}})));
            events.extend(
                arguments.iter().map(|text| delta(json!({"type": "input_json_delta", "partial_json": text}))),
            );
            events.push(stop);
            events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}));
            events
        }
        Protocol::Gemini => {
            let event = |part: Value| json!({"candidates": [{"content": {"parts": [part]}}]});
            let arguments: Value = serde_json::from_str(&arguments.concat()).unwrap();
            let mut events: Vec<Value> = said.iter().map(|text| event(json!({"text": text}))).collect();
            events.push(event(json!({"functionCall": {"id": "a", "name": "f", "args": arguments}})));
            events.push(json!({"candidates": [{"finishReason": "STOP"}]}));
            events
        }
        Protocol::Ollama => {
            let arguments: Value = serde_json::from_str(&arguments.concat()).unwrap();
            let mut events: Vec<Value> =
                said.iter().map(|text| json!({"message": {"content": text}, "done": false})).collect();
            let call = json!({"id": "a", "function": {"name": "f", "arguments": arguments}});
            events.push(json!({"message": {"content": "", "tool_calls": [call]}, "done": false}));
            events.push(json!({"message": {"content": ""}, "done": true, "done_reason": "stop"}));
            events
        }
    }
}

fn translated(protocol: Protocol, events: &[Value]) -> Vec<Piece> {
    let mut stream = protocol.stream("m", CREATED_S, ID);
    events.iter().map(|event| stream.piece(&event.to_string()).unwrap()).collect()
}

proptest! {
    #[test]
    fn any_split_is_the_same_answer(
        said in ".{1,40}",
        value in ".{0,20}",
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        more in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let arguments = json!({"value": value}).to_string();
        for (_, protocol) in PROTOCOLS {
            let split = assembled(&translated(*protocol, &streamed(*protocol, &cut(&said, &cuts), &cut(&arguments, &more))));
            let message = &split["choices"][0]["message"];
            prop_assert_eq!(&message["content"], &json!(said));
            prop_assert_eq!(&message["tool_calls"], &json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}]));
            prop_assert_eq!(&split["choices"][0]["finish_reason"], "tool_calls");
            prop_assert_eq!(&split["id"], ID);
        }
    }

    /// Bytes of a recorded stream, some of them changed: an answer or an error, never a panic.
    #[test]
    fn garbage_never_panics(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let recorded = recorded();
        let (protocol, name) = which.get(&recorded);
        let mut bytes = text(&format!("answers/{name}.lines")).into_bytes();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let mut stream = protocol.stream("m", CREATED_S, ID);
        let mut assembler = Assembler::default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let _ = protocol.completion(line.as_bytes(), "m", CREATED_S, ID);
            let _ = protocol.embeddings(line.as_bytes(), "m");
            prop_assert!(protocol.refusal(line.as_bytes()).message.chars().count() <= 500);
            let _ = assembler.take(line);
            if let Ok(piece) = stream.piece(line) {
                for chunk in piece.chunks.iter().chain(&piece.accounting) {
                    prop_assert!(serde_json::from_str::<Value>(chunk).is_ok());
                    let _ = assembler.take(chunk);
                }
            }
        }
        assembler.finish();
    }

    #[test]
    fn any_bytes_are_a_refusal(body in prop::collection::vec(any::<u8>(), 0..600)) {
        let refusal = Protocol::Gemini.refusal(&body);
        prop_assert!(!refusal.message.is_empty());
        prop_assert!(!refusal.message.chars().any(char::is_control));
    }
}
