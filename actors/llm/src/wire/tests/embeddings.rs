//! Embeddings: requests, answers, and the two forms of a vector.

use serde_json::{Map, Value, json};

use crate::wire::{Protocol, Usage, embeddings_as_base64};

#[track_caller]
fn check_request(protocol: Protocol, input: &Value, options: &Value, expected: &Value) {
    let derived = match protocol.embed("the-model", input, options.as_object().unwrap()) {
        Ok(outgoing) => json!({"path": outgoing.path, "body": outgoing.body}),
        Err(error) => json!(error.to_string()),
    };
    assert_eq!(&derived, expected);
}

#[track_caller]
fn check_answer(protocol: Protocol, body: &Value, vectors: &Value, prompt: Option<u64>) {
    let (answer, usage) = protocol.embeddings(body.to_string().as_bytes(), "the-model").unwrap();
    let found: Vec<&Value> =
        answer["data"].as_array().unwrap().iter().map(|entry| &entry["embedding"]).collect();
    assert_eq!(json!(found), *vectors);
    assert_eq!(answer["object"], "list");
    assert_eq!(usage, prompt.map(|prompt| Usage { prompt, completion: 0 }));
    assert_eq!(answer["usage"]["prompt_tokens"], prompt.unwrap_or_default());
}

#[test]
fn texts_become_requests() {
    let options = json!({"dimensions": 2, "encoding_format": "base64", "user": "u"});
    check_request(
        Protocol::OpenAi,
        &json!("a"),
        &options,
        &json!({"path": "/embeddings", "body": {"dimensions": 2, "encoding_format": "base64", "user": "u", "model": "the-model", "input": ["a"]}}),
    );
    check_request(
        Protocol::Ollama,
        &json!(["a", "b"]),
        &options,
        &json!({"path": "/api/embed", "body": {"model": "the-model", "input": ["a", "b"], "truncate": false, "dimensions": 2}}),
    );
    let one = |text: &str| json!({"model": "models/the-model", "outputDimensionality": 2, "content": {"parts": [{"text": text}]}});
    check_request(
        Protocol::Gemini,
        &json!(["a", "b"]),
        &options,
        &json!({"path": "/models/the-model:batchEmbedContents", "body": {"requests": [one("a"), one("b")]}}),
    );
    check_request(
        Protocol::Anthropic,
        &json!("a"),
        &options,
        &json!("Anthropic has no embeddings: choose another model"),
    );
}

#[test]
fn inputs_have_a_shape() {
    let check = |input, expected: &str| check_request(Protocol::OpenAi, &input, &json!({}), &json!(expected));
    check(json!(1), "input must be a string or an array of strings");
    check(json!([]), "input must have 1 to 2048 texts, not 0");
    check(json!(vec!["a"; 2049]), "input must have 1 to 2048 texts, not 2049");
    check(json!(["a", ""]), "input[1] must be a non-empty string");
    check(json!([[1, 2], []]), "input[1] must be a non-empty string, or the tokens of one");
    check(json!([1, "a"]), "input[0] must be a non-empty string, or the tokens of one");
    check_request(
        Protocol::Ollama,
        &json!([[1, 2]]),
        &json!({}),
        &json!("input[0] must be a non-empty string: this provider takes no tokens"),
    );
    for tokens in [json!([1, 2]), json!([[1, 2], [3]]), json!(vec![1; 8000])] {
        let sent = json!({"path": "/embeddings", "body": {"model": "the-model", "input": tokens}});
        check_request(Protocol::OpenAi, &tokens, &json!({}), &sent);
    }
    let option =
        |options, expected: &str| check_request(Protocol::OpenAi, &json!("a"), &options, &json!(expected));
    option(json!({"dimensions": 0}), "dimensions must be a positive integer");
    option(json!({"encoding_format": "hex"}), "encoding_format must be float or base64");
}

#[test]
fn answers_become_lists() {
    let vectors = json!([[0.5, -1.0], [0.25, 2.0]]);
    let entry = |index: usize| json!({"object": "embedding", "index": index, "embedding": vectors[index]});
    let openai = json!({"object": "list", "data": [entry(0), entry(1)], "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}});
    check_answer(Protocol::OpenAi, &openai, &vectors, Some(3));
    check_answer(
        Protocol::Ollama,
        &json!({"embeddings": vectors, "prompt_eval_count": 3}),
        &vectors,
        Some(3),
    );
    let gemini = json!({"embeddings": [{"values": vectors[0]}, {"values": vectors[1]}]});
    check_answer(Protocol::Gemini, &gemini, &vectors, None);
}

#[test]
fn vectors_become_base64_once() {
    let (mut answer, _) = Protocol::Ollama.embeddings(br#"{"embeddings":[[0.5,-1.0]]}"#, "m").unwrap();
    embeddings_as_base64(&mut answer);
    // 0x3f000000 and 0xbf800000, little-endian.
    assert_eq!(answer["data"][0]["embedding"], "AAAAPwAAgL8=");
    let once = answer.clone();
    embeddings_as_base64(&mut answer);
    assert_eq!(answer, once);
}

#[test]
fn answers_without_vectors_are_errors() {
    for protocol in [Protocol::OpenAi, Protocol::Gemini, Protocol::Ollama] {
        assert!(protocol.embeddings(b"{}", "m").is_err(), "{protocol:?}");
        let error = protocol.embeddings(br#"{"error":{"message":"no"}}"#, "m").unwrap_err();
        assert_eq!(error.to_string(), "no", "{protocol:?}");
    }
    assert!(Protocol::Gemini.embed("m", &json!("a"), &Map::new()).is_ok());
}
