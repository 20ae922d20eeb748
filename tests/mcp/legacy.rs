//! Clients that open with `initialize`: what is settled there, and what they are spared of the modern revision.

use harness::{Daemon, run};
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, initialize, tool};
use crate::peer::Peer;

#[test]
fn a_revision_is_settled_on_and_never_the_modern_one() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        for (asked, settled) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-03-26", "2025-03-26"),
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
            ("2999-01-01", "2025-11-25"),
        ] {
            let answer = host.legacy(json!("i"), "initialize", initialize(asked)).await.json().await;
            let result = &answer["result"];
            assert_eq!(result["protocolVersion"], settled, "{asked}: {answer}");
            assert_eq!(result["serverInfo"]["name"], "llmbasedos");
            assert!(result["instructions"].is_string());
            assert!(result["capabilities"]["tools"].is_object());
            assert!(result["capabilities"].get("extensions").is_none(), "tasks are not for legacy clients");
            for modern in ["resultType", "ttlMs", "_meta"] {
                assert!(result.get(modern).is_none(), "{modern}: {result}");
            }
        }
        assert_eq!(
            host.legacy(json!(1), "initialize", json!({})).await.answer().await["error"]["code"],
            -32602
        );
    });
}

#[test]
fn legacy_results_are_plain_and_errors_have_the_old_numbers() {
    run(async {
        let daemon = fixtures("").await;
        let http = Host::owner(&daemon).open("2025-11-25").await;
        let mut peers = Peer::all(&daemon).await;
        for (_, peer) in &mut peers {
            peer.open("2025-11-25").await;
        }
        for (method, params, code) in [
            ("ping", json!({}), None),
            ("logging/setLevel", json!({ "level": "warning" }), None),
            ("logging/setLevel", json!({ "level": "loud" }), Some(-32602)),
            ("tools/list", json!({}), None),
            ("resources/list", json!({}), None),
            ("resources/templates/list", json!({}), None),
            ("prompts/list", json!({}), None),
            ("resources/read", json!({ "uri": "file:///welcome.md" }), None),
            ("resources/read", json!({ "uri": "file:///no/such" }), Some(-32002)),
            ("resources/subscribe", json!({ "uri": "file:///welcome.md" }), None),
            ("resources/unsubscribe", json!({ "uri": "file:///welcome.md" }), None),
            ("resources/subscribe", json!({ "uri": "gopher://x" }), Some(-32002)),
            ("tools/call", tool("no_such", json!({})), Some(-32602)),
            ("tools/call", tool("fs_read", json!({ "path": "/welcome.md" })), None),
            ("tasks/get", json!({ "taskId": "x" }), Some(-32601)),
            ("subscriptions/listen", json!({ "notifications": {} }), Some(-32601)),
            ("no/such", json!({}), Some(-32601)),
        ] {
            let check = |door: &str, answer: Value| {
                assert_eq!(answer["error"]["code"].as_i64(), code, "{door}: {method} {params}: {answer}");
                for modern in ["resultType", "ttlMs", "cacheScope", "_meta"] {
                    assert!(answer["result"].get(modern).is_none(), "{door}: {method}: {answer}");
                }
            };
            check("http", http.legacy(json!(method), method, params.clone()).await.answer().await);
            for (door, peer) in &mut peers {
                check(door, peer.ask(method, method, params.clone()).await);
            }
        }
    });
}

#[test]
fn requests_between_initialize_and_initialized_are_answered_and_before_it_refused() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, mut peer) in Peer::all(&daemon).await {
            assert_eq!(peer.ask(1, "ping", json!({})).await["result"], json!({}), "{door}");
            assert_eq!(peer.ask(2, "tools/list", json!({})).await["error"]["code"], -32600, "{door}");
            assert!(
                peer.ask(3, "initialize", initialize("2025-06-18")).await["result"].is_object(),
                "{door}"
            );
            let set = peer.ask(4, "logging/setLevel", json!({ "level": "debug" })).await;
            assert_eq!(set["result"], json!({}), "{door}");
        }
    });
}

#[test]
fn a_question_is_asked_on_the_stream_of_its_call() {
    run(async {
        let daemon = fixtures("").await;
        let call = tool("test_elicitation", json!({ "message": "Who?" }));
        let answer = |question: &Value| {
            let content = json!({ "username": "ada", "email": "a@b.example" });
            json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": content } })
        };
        for (door, mut peer) in Peer::all(&daemon).await {
            if door == "stdio, embedded" {
                continue; // It has no fixtures.
            }
            peer.open("2025-11-25").await;
            peer.send(json!("q"), "tools/call", call.clone()).await;
            let question = peer.next().await.expect("a question");
            assert_eq!(question["method"], "elicitation/create", "{door}: {question}");
            peer.send_text(&answer(&question).to_string()).await;
            let result = peer.answer(&json!("q")).await;
            assert!(
                result["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains("ada")),
                "{door}"
            );
        }
        let host = Host::owner(&daemon).open("2025-11-25").await;
        let mut stream = host.legacy(json!("q"), "tools/call", call).await;
        let question = stream.message().await.expect("a question");
        assert_eq!(host.send("POST", &answer(&question).to_string()).await.status, 202);
        let result = stream.answer().await;
        assert_eq!(result["id"], "q", "{result}");
    });
}
