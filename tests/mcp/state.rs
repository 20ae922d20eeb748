//! `requestState`: what a client carries between two rounds of a request, and can use only for what it was given.

use harness::run;
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, able, tool, with};

const ASKS: &str = "test_input_required_result_elicitation";

fn call(name: &str, arguments: Value, mut more: Value) -> Value {
    let mut params =
        with(tool(name, arguments), able(json!({ "elicitation": {}, "sampling": {}, "roots": {} })));
    for (key, value) in more.as_object_mut().into_iter().flatten() {
        params[key] = value.take();
    }
    params
}

/// Answers with a name, under this state.
fn named(state: &Value) -> Value {
    let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
    json!({ "inputResponses": { "user_name": answer }, "requestState": state })
}

async fn asked(host: &Host) -> Value {
    let result = host.ok("tools/call", call(ASKS, json!({}), json!({}))).await;
    assert_eq!(result["resultType"], "input_required", "{result}");
    assert_eq!(result["inputRequests"]["user_name"]["method"], "elicitation/create", "{result}");
    assert!(result.get("ttlMs").is_none(), "a question is nothing to keep: {result}");
    result["requestState"].clone()
}

#[test]
fn a_question_is_answered_by_asking_again() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let state = asked(&host).await;
        let mut answers = named(&state);
        answers["inputResponses"]["uncalled_for"] = json!({ "action": "accept" });
        let result = host.ok("tools/call", call(ASKS, json!({}), answers)).await;
        assert_eq!(
            (&result["resultType"], &result["content"][0]["text"]),
            (&json!("complete"), &json!("Hello, Ada!"))
        );

        // What is missing is asked again, and is no error.
        let state = asked(&host).await;
        let again = host.ok("tools/call", call(ASKS, json!({}), json!({ "requestState": state }))).await;
        assert_eq!(again["resultType"], "input_required", "{again}");
        let result = host.ok("tools/call", call(ASKS, json!({}), named(&again["requestState"]))).await;
        assert_eq!(result["content"][0]["text"], "Hello, Ada!");

        // Only who can be asked is asked.
        let unable = with(tool(ASKS, json!({})), able(json!({})));
        let refused = host.modern("tools/call", unable).await;
        assert_eq!(refused.refused().await, (400, -32021));
    });
}

#[test]
fn a_state_that_was_changed_used_or_is_of_something_else_is_refused() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let refused = async |why: &str, host: &Host, params: Value| {
            let answer = host.ask("tools/call", params).await;
            assert_eq!(answer["error"]["code"], -32602, "{why}: {answer}");
        };
        let state = asked(&host).await;
        let text = state.as_str().expect("a text");
        for at in [0, text.len() / 2, text.len() - 10] {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            refused("changed", &host, call(ASKS, json!({}), named(&json!(changed)))).await;
        }
        for forged in ["", ".", "e30.e30", &"A".repeat(200_000)] {
            refused("forged", &host, call(ASKS, json!({}), named(&json!(forged)))).await;
        }
        let stranger = Host::new(&daemon, &daemon.token_for("stranger", &[]).await);
        refused("another caller's", &stranger, call(ASKS, json!({}), named(&state))).await;
        refused("for other arguments", &host, call(ASKS, json!({ "a": 1 }), named(&state))).await;
        let other = "test_input_required_result_multi_round";
        refused("of another tool", &host, call(other, json!({}), named(&state))).await;
        // None of which used it up.
        let result = host.ok("tools/call", call(ASKS, json!({}), named(&state))).await;
        assert_eq!(result["content"][0]["text"], "Hello, Ada!");
        refused("used", &host, call(ASKS, json!({}), named(&state))).await;
        refused("of no type", &host, call(ASKS, json!({}), named(&json!(5)))).await;
    });
}
