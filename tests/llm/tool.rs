//! The tool `llm_chat` of the Model Context Protocol: its progress carries the text.

use harness::posted::{Posted, post};
use harness::{Daemon, Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{daemon, model};

/// Calls the tool; `token` is the progress token, null for none.
async fn call(daemon: &Daemon, token: &Value) -> Posted {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if !token.is_null() {
        meta["progressToken"] = token.clone();
    }
    let arguments = json!({ "messages": [{ "role": "user", "content": "Say hello." }] });
    let params = json!({ "name": "llm_chat", "arguments": arguments, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": "m", "method": "tools/call", "params": params });
    let bearer = format!("Bearer {}", daemon.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "llm_chat"),
    ];
    post(&daemon.address, "/mcp", &headers, &body).await.expect("an answer")
}

/// The texts that the progress carried, and the answer behind it.
async fn told(mut answer: Posted, token: &Value) -> (Vec<String>, Value) {
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let mut messages: Vec<Value> =
        answer.events().await.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let end = messages.pop().expect("an answer");
    assert_eq!(end["id"], "m", "{end}");
    let mut last = 0.0;
    let text = messages.iter().map(|message| {
        assert_eq!(message["method"], "notifications/progress", "{message}");
        assert_eq!(message["params"]["progressToken"], *token, "{message}");
        let progress = message["params"]["progress"].as_f64().expect("a number");
        assert!(progress > last, "it grows: {messages:?}");
        last = progress;
        message["params"]["message"].as_str().expect("a text").to_owned()
    });
    (text.collect(), end)
}

#[test]
fn progress_carries_the_text_and_the_result_the_whole() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let token = json!("t");
        let (text, end) = told(call(&daemon, &token).await, &token).await;
        assert_eq!(text.concat(), "Hello from the upstream.", "{text:?}");
        assert!(text.len() > 1, "it comes in parts: {text:?}");
        let result = &end["result"];
        assert!(result["isError"] != true, "{end}");
        let whole = &result["structuredContent"];
        assert_eq!(whole["choices"][0]["message"]["content"], "Hello from the upstream.", "{end}");
        assert_eq!(whole["usage"]["total_tokens"], 15, "{end}");

        let whole = call(&daemon, &Value::Null).await.json().await;
        let said = &whole["result"]["structuredContent"]["choices"][0]["message"]["content"];
        assert_eq!(*said, "Hello from the upstream.", "one document is enough: {whole}");
    });
}

#[test]
fn a_failure_in_the_middle_is_the_only_answer() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let token = json!(7);
        for play in
            [Play::pieces(5).closes_after(2), Play::pieces(5).errs_after(2), Play::pieces(5).stalls_after(2)]
        {
            upstream.next(play);
            let (text, end) = told(call(&daemon, &token).await, &token).await;
            assert_eq!(text.concat(), "w0 w1 ");
            assert_eq!(end["result"]["isError"], true, "{end}");
            let said = end["result"]["content"][0]["text"].as_str().expect("a text");
            assert!(said.contains("Model 'small': its provider"), "{said}");
            let (text, _) = told(call(&daemon, &token).await, &token).await;
            assert_eq!(text.concat(), "Hello from the upstream.");
        }
    });
}

#[test]
fn a_host_that_leaves_stops_the_upstream() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().endless().slowly(std::time::Duration::from_millis(5)));
        let daemon = daemon(&model("small", &upstream.v1(), ""), Setup::default()).await;
        let mut answer = call(&daemon, &json!("t")).await;
        answer.event().await.expect("it has begun");
        drop(answer);
        assert_eq!(upstream.ended(0).await, harness::upstream::End::HungUp);
    });
}
