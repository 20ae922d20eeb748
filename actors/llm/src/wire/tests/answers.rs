//! Answers of each provider, whole and streamed, and that both are the same answer.

use serde_json::Value;

use super::{CREATED_S, ID, PROTOCOLS, check_file, json, names, pretty, text};
use crate::wire::{Assembler, Piece, Protocol};

/// Recorded answers: the protocol, and the name of the files.
pub(super) fn recorded() -> Vec<(Protocol, String)> {
    let protocol = |name: &str| {
        let provider = name.split('.').next().unwrap();
        PROTOCOLS.iter().find(|(known, _)| *known == provider).unwrap().1
    };
    names("answers", ".lines").into_iter().map(|name| (protocol(&name), name)).collect()
}

/// All pieces of a recorded stream.
pub(super) fn pieces(protocol: Protocol, name: &str) -> Vec<Piece> {
    let mut stream = protocol.stream("the-model", CREATED_S, ID);
    text(&format!("answers/{name}.lines")).lines().map(|line| stream.piece(line).unwrap()).collect()
}

fn chunks(pieces: &[Piece]) -> impl Iterator<Item = &str> {
    pieces.iter().flat_map(|piece| piece.chunks.iter().chain(&piece.accounting)).map(String::as_str)
}

pub(super) fn assembled(pieces: &[Piece]) -> Value {
    let mut assembler = Assembler::default();
    chunks(pieces).for_each(|chunk| assembler.take(chunk).unwrap());
    assembler.finish()
}

/// The order of fields means nothing.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}

#[test]
fn streams_become_chunks() {
    for (protocol, name) in recorded() {
        let pieces = pieces(protocol, &name);
        let derived: String = chunks(&pieces).flat_map(|chunk| [chunk, "\n"]).collect();
        check_file(&format!("answers/{name}.chunks"), &derived);
        let (last, before) = pieces.split_last().unwrap();
        assert!(last.done, "{name} has an end");
        assert!(before.iter().all(|piece| !piece.done), "{name} has one end");
    }
}

#[test]
fn openais_chunks_go_through_byte_for_byte() {
    for (_, name) in recorded().into_iter().filter(|(protocol, _)| *protocol == Protocol::OpenAi) {
        let lines = text(&format!("answers/{name}.lines"));
        let through: Vec<Piece> = pieces(Protocol::OpenAi, &name);
        let sent: Vec<&str> = lines.lines().filter(|line| *line != "[DONE]").collect();
        assert_eq!(chunks(&through).collect::<Vec<_>>(), sent);
    }
}

#[test]
fn whole_answers_become_completions() {
    for (protocol, name) in recorded() {
        let body = text(&format!("answers/{name}.answer.json"));
        let (completion, _) = protocol.completion(body.as_bytes(), "the-model", CREATED_S, ID).unwrap();
        if protocol == Protocol::OpenAi {
            assert_eq!(completion, json(&format!("answers/{name}.answer.json")));
        } else {
            check_file(&format!("answers/{name}.completion.json"), &pretty(&completion));
        }
    }
}

#[test]
fn a_stream_put_together_is_the_whole_answer() {
    for (protocol, name) in recorded() {
        let pieces = pieces(protocol, &name);
        let body = text(&format!("answers/{name}.answer.json"));
        let (completion, usage) = protocol.completion(body.as_bytes(), "the-model", CREATED_S, ID).unwrap();
        assert_eq!(sorted(&assembled(&pieces)), sorted(&completion), "{name}");
        assert_eq!(pieces.iter().filter_map(|piece| piece.usage).next_back(), usage, "{name}");
        let finish = pieces.iter().find_map(|piece| piece.finish.clone()).unwrap();
        assert_eq!(completion["choices"][0]["finish_reason"], finish, "{name}");
    }
}

#[test]
fn what_was_written_is_told_for_those_who_count() {
    for (protocol, name) in recorded() {
        let pieces = pieces(protocol, &name);
        let written: usize = pieces.iter().map(|piece| piece.written.chars().count()).sum();
        let mut expected = 0;
        for choice in assembled(&pieces)["choices"].as_array().unwrap() {
            let message = &choice["message"];
            let calls = message["tool_calls"].as_array().into_iter().flatten();
            expected += [&message["content"], &message["reasoning_content"]]
                .into_iter()
                .chain(calls.map(|call| &call["function"]["arguments"]))
                .map(|text| text.as_str().unwrap_or_default().chars().count())
                .sum::<usize>();
        }
        assert_eq!(written, expected, "{name}");
    }
}

#[test]
fn only_the_first_chunk_says_who_speaks() {
    for (protocol, name) in recorded().into_iter().filter(|(protocol, _)| *protocol != Protocol::OpenAi) {
        let pieces = pieces(protocol, &name);
        let roles: Vec<bool> = pieces
            .iter()
            .flat_map(|piece| &piece.chunks)
            .map(|chunk| serde_json::from_str::<Value>(chunk).unwrap())
            .map(|chunk| chunk["choices"][0]["delta"]["role"] == "assistant")
            .collect();
        assert!(roles[0], "{name}");
        assert!(roles[1..].iter().all(|role| !role), "{name}");
    }
}
