//! One chat, four requests. A file of `requests/` holds what one provider is sent, or why it is not.

use serde_json::{Value, json};

use super::{PROTOCOLS, check_file, json, names, pretty};
use crate::wire::{Chat, Protocol, check};

#[test]
fn chats_become_requests() {
    for name in names("chats", ".json") {
        let case = json(&format!("chats/{name}.json"));
        let options = case["options"].as_object().unwrap();
        check(&case["messages"], options).unwrap();
        for (provider, protocol) in PROTOCOLS {
            let chat = Chat {
                model: "the-model",
                messages: case["messages"].as_array().unwrap(),
                options,
                stream: case["stream"].as_bool().unwrap(),
            };
            let derived = match protocol.chat(&chat) {
                Ok(outgoing) => json!({"path": outgoing.path, "body": outgoing.body}),
                Err(error) => json!({"error": error.to_string()}),
            };
            check_file(&format!("requests/{name}.{provider}.json"), &pretty(&derived));
        }
    }
}

#[track_caller]
fn check_thinking(model: &str, effort: &str, expected: &Value) {
    let messages = [json!({"role": "user", "content": "Think."})];
    let options = json!({"reasoning_effort": effort});
    let chat = Chat { model, messages: &messages, options: options.as_object().unwrap(), stream: false };
    let body = Protocol::Gemini.chat(&chat).unwrap().body;
    assert_eq!(&body["generationConfig"]["thinkingConfig"], expected, "{model} {effort}");
}

#[test]
fn gemini_thinks_by_budget_or_by_level() {
    check_thinking("gemini-2.5-flash", "none", &json!({"thinkingBudget": 0}));
    check_thinking("gemini-2.5-flash", "low", &json!({"thinkingBudget": 1024}));
    check_thinking("gemini-2.5-pro", "high", &json!({"thinkingBudget": 24576}));
    check_thinking("gemini-3-pro", "low", &json!({"thinkingLevel": "low"}));
}

#[track_caller]
fn check_path(model: &str, stream: bool, expected: &str) {
    let messages = [json!({"role": "user", "content": "Hi."})];
    let options = serde_json::Map::new();
    let chat = Chat { model, messages: &messages, options: &options, stream };
    assert_eq!(Protocol::Gemini.chat(&chat).unwrap().path, expected);
}

#[test]
fn a_models_name_is_data_in_geminis_path() {
    check_path("gemini-x", false, "/models/gemini-x:generateContent");
    check_path("gemini-x", true, "/models/gemini-x:streamGenerateContent?alt=sse");
    check_path("tunedModels/mine", false, "/tunedModels/mine:generateContent");
    check_path("models/a?key=b#c d", false, "/models/a%3Fkey%3Db%23c%20d:generateContent");
}

#[test]
fn keys_travel_in_the_header_that_the_provider_reads() {
    let headers = |protocol: Protocol, key| protocol.headers(key);
    assert_eq!(headers(Protocol::OpenAi, Some("k")), [("authorization", "Bearer k".to_owned())]);
    assert_eq!(headers(Protocol::Ollama, Some("k")), [("authorization", "Bearer k".to_owned())]);
    assert_eq!(headers(Protocol::Gemini, Some("k")), [("x-goog-api-key", "k".to_owned())]);
    assert_eq!(
        headers(Protocol::Anthropic, Some("k")),
        [("anthropic-version", "2023-06-01".to_owned()), ("x-api-key", "k".to_owned())]
    );
    assert_eq!(headers(Protocol::OpenAi, None), []);
    assert_eq!(headers(Protocol::Anthropic, None), [("anthropic-version", "2023-06-01".to_owned())]);
}
