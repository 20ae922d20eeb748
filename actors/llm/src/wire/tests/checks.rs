//! What is refused before it is translated, and in which words.

use serde_json::{Value, json};

use crate::wire::check;

fn verdict(messages: &Value, options: &Value) -> String {
    match check(messages, options.as_object().unwrap()) {
        Ok(()) => "fine".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check_messages(messages: &Value, expected: &str) {
    assert_eq!(verdict(messages, &json!({})), expected);
}

#[track_caller]
fn check_options(options: &Value, expected: &str) {
    assert_eq!(verdict(&json!([{"role": "user", "content": "Hi."}]), options), expected);
}

/// One part of a user's message.
#[track_caller]
fn check_part(part: &Value, expected: &str) {
    check_messages(&json!([{"role": "user", "content": [{"type": "text", "text": "Hi."}, part]}]), expected);
}

/// One call of a tool.
#[track_caller]
fn check_call(call: &Value, expected: &str) {
    let user = json!({"role": "user", "content": "Hi."});
    check_messages(&json!([user, {"role": "assistant", "content": null, "tool_calls": [call]}]), expected);
}

#[test]
fn messages_have_a_shape() {
    check_messages(&json!("Hi."), "messages must be an array of messages");
    check_messages(&json!([]), "messages must have at least one message");
    check_messages(&json!(["Hi."]), "messages[0] must be an object with 'role' and 'content'");
    let role = "must be one of: system, developer, user, assistant, tool";
    check_messages(&json!([{"content": "Hi."}]), &format!("messages[0].role {role}"));
    let user = json!({"role": "user", "content": "Hi."});
    check_messages(&json!([user, {"role": "human", "content": "Hi."}]), &format!("messages[1].role {role}"));
    check_messages(&json!([{"role": "user"}]), "messages[0].content must be a string or an array of parts");
    check_messages(
        &json!([{"role": "user", "content": null}]),
        "messages[0].content must be a string or an array of parts",
    );
    check_messages(
        &json!([{"role": "user", "content": []}]),
        "messages[0].content must be a string or a non-empty array of parts",
    );
    check_messages(
        &json!([{"role": "user", "content": 1}]),
        "messages[0].content must be a string or a non-empty array of parts",
    );
    check_messages(
        &json!([{"role": "assistant"}]),
        "messages[0].content must be given where there are no tool_calls",
    );
    check_messages(&json!([{"role": "assistant", "content": null, "refusal": "No."}]), "fine");
    check_messages(
        &json!([{"role": "assistant", "tool_calls": {}}]),
        "messages[0].tool_calls must be an array",
    );
    check_messages(&json!([{"role": "tool", "content": "18"}]), "messages[0].tool_call_id must be a string");
    check_messages(&json!([{"role": "tool", "tool_call_id": "a", "content": "18"}]), "fine");
}

#[test]
fn parts_have_a_shape() {
    check_part(&json!("Hi."), "messages[0].content[1] must be an object with 'type'");
    check_part(&json!({}), "messages[0].content[1].type must be a string");
    check_part(&json!({"type": "text"}), "messages[0].content[1].text must be a string");
    check_part(&json!({"type": "image_url"}), "messages[0].content[1].image_url must be an object");
    check_part(
        &json!({"type": "image_url", "image_url": {}}),
        "messages[0].content[1].image_url.url must be a string",
    );
    let url = "messages[0].content[1].image_url.url must be an http(s) URL or data:TYPE;base64,DATA";
    for wrong in [
        "file:///etc/passwd",
        "cat.png",
        "data:image/png,raw",
        "data:;base64,AA",
        "data:image/png;base64,",
        "",
    ] {
        check_part(&json!({"type": "image_url", "image_url": {"url": wrong}}), url);
    }
    check_part(&json!({"type": "image_url", "image_url": {"url": "data:image/png;x=y;base64,AA=="}}), "fine");
    check_part(
        &json!({"type": "input_audio", "input_audio": {"data": "AA"}}),
        "messages[0].content[1].input_audio.format must be a string",
    );
    check_part(&json!({"type": "file", "file": {"file_id": "f"}}), "fine");
    check_part(&json!({"type": "video_url", "video_url": {"url": "https://example.org"}}), "fine");
}

#[test]
fn calls_have_a_shape() {
    let place = "messages[1].tool_calls[0]";
    check_call(&json!("f"), &format!("{place} must be an object"));
    check_call(&json!({"id": "a"}), &format!("{place}.function must be an object"));
    check_call(
        &json!({"function": {"name": "f", "arguments": "{}"}}),
        &format!("{place}.id must be a string"),
    );
    check_call(
        &json!({"id": "a", "function": {"arguments": "{}"}}),
        &format!("{place}.function.name must be a string"),
    );
    check_call(
        &json!({"id": "a", "function": {"name": "f", "arguments": {}}}),
        &format!("{place}.function.arguments must be a string"),
    );
    check_call(&json!({"id": "a", "function": {"name": "f", "arguments": "{}"}}), "fine");
}

#[test]
fn options_have_a_shape() {
    for name in ["max_tokens", "max_completion_tokens"] {
        for wrong in [json!(0), json!(-1), json!(1.5), json!("9")] {
            check_options(&json!({name: wrong}), &format!("{name} must be a positive integer"));
        }
    }
    check_options(&json!({"n": 129}), "n must be an integer from 1 to 128");
    check_options(&json!({"seed": 1.5}), "seed must be an integer");
    check_options(&json!({"temperature": 2.1}), "temperature must be a number from 0 to 2");
    check_options(&json!({"top_p": "1"}), "top_p must be a number from 0 to 1");
    check_options(&json!({"presence_penalty": -3}), "presence_penalty must be a number from -2 to 2");
    check_options(&json!({"logprobs": 1}), "logprobs must be true or false");
    check_options(&json!({"top_logprobs": 21}), "top_logprobs must be an integer from 0 to 20");
    check_options(&json!({"stop": ["a", 1]}), "stop must be a string or an array of strings");
    check_options(&json!({"logit_bias": []}), "logit_bias must be an object");
    check_options(&json!({"stream_options": true}), "stream_options must be an object");
    check_options(&json!({"reasoning_effort": 3}), "reasoning_effort must be a string");
    check_options(
        &json!({"response_format": "json"}),
        "response_format must be an object with 'type': text, json_object or json_schema",
    );
    check_options(
        &json!({"tool_choice": 1}),
        "tool_choice must be auto, none, required, or an object that names a function",
    );
    check_options(&json!({"temperature": null, "n": null, "tools": null, "response_format": null}), "fine");
    check_options(&json!({"seed": -1, "temperature": 2, "top_p": 0, "stop": [], "n": 128}), "fine");
}

#[test]
fn tools_have_a_shape() {
    check_options(&json!({"tools": {}}), "tools must be an array");
    check_options(&json!({"tools": [{}]}), "tools[0].type must be a string: function");
    let nameless = "tools[0].function.name must be a non-empty string";
    check_options(&json!({"tools": [{"type": "function"}]}), nameless);
    check_options(&json!({"tools": [{"type": "function", "function": {"name": ""}}]}), nameless);
    let parameters = json!({"type": "function", "function": {"name": "f", "parameters": []}});
    check_options(
        &json!({"tools": [parameters]}),
        "tools[0].function.parameters must be a JSON Schema object",
    );
    let many: Vec<Value> = vec![json!({"type": "function", "function": {"name": "f"}}); 129];
    check_options(&json!({"tools": many}), "tools must be at most 128, not 129");
}
