//! What is said beside an answer, and instead of it: cancels, progress, log messages.

use harness::{Daemon, run, until};
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, meta, tool, with};
use crate::peer::Peer;
use crate::streams::ended;

/// Byte streams to a daemon with fixtures, by name.
async fn peers(daemon: &Daemon) -> Vec<(&'static str, Peer)> {
    let mut all = Peer::all(daemon).await;
    all.retain(|(door, _)| *door != "stdio, embedded");
    all
}

#[test]
fn a_request_that_was_taken_back_stops_and_is_not_answered() {
    run(async {
        // One call at a time: what is full must still take a cancel.
        let daemon = fixtures("limits: { in_flight_per_connection: 1 }\n").await;
        let mut cancelled = 0;
        for modern in [true, false] {
            for (door, mut peer) in peers(&daemon).await {
                let slow = tool("slow_compute", json!({ "seconds": 100 }));
                if modern {
                    peer.send(json!("s"), "tools/call", with(slow, meta())).await;
                } else {
                    peer.open("2025-11-25").await;
                    peer.send(json!("s"), "tools/call", slow).await;
                }
                peer.notify("notifications/cancelled", json!({ "requestId": "nobody's" })).await;
                peer.notify("notifications/cancelled", json!({ "requestId": "s", "reason": "enough" })).await;
                cancelled += 1;
                until(&format!("{door}: it stops"), async || {
                    ended(&daemon, "mcp.slow.compute", "cancelled") == cancelled
                })
                .await;
                assert!(peer.ask("p", "ping", json!({})).await["result"].is_object(), "{door}");
                assert_eq!(peer.aside(), [] as [Value; 0], "{door}: no answer");
            }
        }
    });
}

#[test]
fn a_question_is_answered_on_a_connection_that_is_full() {
    run(async {
        let daemon = fixtures("limits: { in_flight_per_connection: 1 }\n").await;
        for (door, mut peer) in peers(&daemon).await {
            peer.open("2025-11-25").await;
            peer.send(json!("q"), "tools/call", tool("test_elicitation", json!({ "message": "Who?" }))).await;
            let question = peer.next().await.expect("a question");
            let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } });
            peer.send_text(&answer.to_string()).await;
            let result = peer.answer(&json!("q")).await;
            assert!(
                result["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains("decline")),
                "{door}: {result}"
            );
        }
    });
}

/// Progress among `messages`: only grows, under this token.
fn check_progress(door: &str, messages: &[Value], token: Option<&Value>) {
    let told = messages.iter().filter(|message| message["method"] == "notifications/progress");
    let told: Vec<_> = told.map(|message| &message["params"]).collect();
    assert_eq!(told.len(), if token.is_some() { 3 } else { 0 }, "{door}: {messages:?}");
    let values: Vec<_> = told.iter().map(|params| params["progress"].as_f64().expect("a number")).collect();
    assert!(values.is_sorted_by(|one, other| one < other), "{door}: {values:?}");
    assert!(told.iter().all(|params| Some(&params["progressToken"]) == token), "{door}: {messages:?}");
}

#[test]
fn progress_grows_and_is_told_only_to_who_asked() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let session = host.open("2025-11-25").await;
        let mut peers = peers(&daemon).await;
        for (_, peer) in &mut peers {
            peer.open("2025-11-25").await;
        }
        for token in [Some(json!("t")), Some(json!(7)), None] {
            let mut call = tool("test_tool_with_progress", json!({}));
            if let Some(token) = &token {
                call["_meta"]["progressToken"] = token.clone();
            }
            let mut modern = call.clone();
            modern["_meta"] = meta();
            if let Some(token) = &token {
                modern["_meta"]["progressToken"] = token.clone();
            }
            let response = host.modern("tools/call", modern.clone()).await;
            if token.is_some() {
                let mut messages = response.messages().await;
                assert_eq!(messages.pop().expect("the answer comes last")["id"], "m");
                check_progress("http", &messages, token.as_ref());
            } else {
                assert!(response.json().await["result"].is_object(), "one document is enough");
            }
            let response = session.legacy(json!("l"), "tools/call", call.clone()).await;
            let told = if token.is_some() { response.messages().await } else { Vec::new() };
            check_progress("http, legacy", &told, token.as_ref());
            for (door, peer) in &mut peers {
                for params in [call.clone(), modern.clone()] {
                    assert!(peer.ask("c", "tools/call", params).await["result"].is_object(), "{door}");
                    check_progress(door, &peer.aside(), token.as_ref());
                }
            }
        }
    });
}

#[test]
fn log_messages_come_only_as_asked_for() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let call = tool("test_tool_with_logging", json!({}));
        let logs =
            |messages: &[Value]| messages.iter().filter(|it| it["method"] == "notifications/message").count();
        for (level, expected) in [(Some("debug"), 3), (Some("info"), 3), (Some("warning"), 0), (None, 0)] {
            let mut meta = meta();
            if let Some(level) = level {
                meta["io.modelcontextprotocol/logLevel"] = json!(level);
            }
            let response = host.modern("tools/call", with(call.clone(), meta.clone())).await;
            let messages = if expected > 0 { response.messages().await } else { vec![response.json().await] };
            assert_eq!(logs(&messages), expected, "{level:?}: {messages:?}");
            for (door, mut peer) in peers(&daemon).await {
                peer.ask("c", "tools/call", with(call.clone(), meta.clone())).await;
                assert_eq!(logs(&peer.aside()), expected, "{door}: {level:?}");
            }
        }
        for (door, mut peer) in peers(&daemon).await {
            peer.open("2025-11-25").await;
            peer.ask("c", "tools/call", call.clone()).await;
            assert_eq!(logs(&peer.aside()), 3, "{door}: what a client that never set a level is told");
            peer.ask("s", "logging/setLevel", json!({ "level": "error" })).await;
            peer.ask("c", "tools/call", call.clone()).await;
            assert_eq!(logs(&peer.aside()), 0, "{door}");
        }
    });
}
