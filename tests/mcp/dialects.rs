//! The first request of a byte stream says which dialect it speaks, and what is no message is told so in either.

use harness::{Client, Daemon, run};
use serde_json::{Value, json};

use crate::http::{able, meta, with};
use crate::peer::Peer;

#[test]
fn dialects_do_not_mix_on_one_connection() {
    run(async {
        let daemon = Daemon::start().await;
        let doors: [(&str, Client); 2] =
            [("ws", daemon.client().await), ("unix", daemon.unix("gateway").await)];
        for (door, client) in doors {
            assert!(client.ok("mcp.hello", json!([])).await.is_array(), "{door}");
            for method in ["tools/list", "initialize", "ping", "server/discover"] {
                assert_eq!(client.code(method, json!({})).await, -32600, "{door}: {method}");
            }
            assert!(client.ok("mcp.hello", json!([])).await.is_array(), "{door}: it goes on");
        }
        for (door, mut peer) in Peer::all(&daemon).await {
            peer.open("2025-11-25").await;
            let refused = peer.ask(1, "mcp.hello", json!([])).await;
            assert_eq!(refused["error"]["code"], -32600, "{door}: {refused}");
            assert_eq!(peer.ask(2, "ping", json!({})).await["result"], json!({}), "{door}: it goes on");
        }
    });
}

#[test]
fn a_modern_request_needs_no_opening_on_any_transport() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, mut peer) in Peer::all(&daemon).await {
            let found = peer.ask("d", "server/discover", json!({ "_meta": meta() })).await;
            assert_eq!(found["result"]["resultType"], "complete", "{door}: {found}");
            let listed = peer.ask("l", "tools/list", json!({ "_meta": meta() })).await;
            assert!(listed["result"]["tools"].is_array(), "{door}");
            assert_eq!(listed["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "llmbasedos");
            // Nothing is remembered of the request before.
            let forgotten = peer.ask("f", "tools/list", json!({})).await;
            assert_eq!(forgotten["error"]["code"], -32600, "{door}: {forgotten}");
            let bare = peer.ask("b", "server/discover", json!({})).await;
            assert_eq!(bare["error"]["code"], -32602, "{door}: {bare}");
            // Whoever was told what there is may still open the old way.
            assert_eq!(peer.open("2025-11-25").await["protocolVersion"], "2025-11-25", "{door}");
            let asked = with(json!({}), able(json!({ "sampling": {} })));
            assert_eq!(
                peer.ask("m", "tools/list", asked).await["result"]["resultType"],
                "complete",
                "{door}"
            );
        }
    });
}

#[test]
fn what_is_no_message_is_told_so_and_the_connection_is_kept() {
    run(async {
        let daemon = Daemon::start().await;
        for opened in [true, false] {
            for (door, mut peer) in Peer::all(&daemon).await {
                if opened {
                    peer.open("2025-11-25").await;
                } else if door == "unix, lines" {
                    continue; // A first line that is no JSON is not one of a client that speaks in lines.
                }
                peer.send_text("{ no json").await;
                let answer = peer.next().await.expect("it is told");
                assert_eq!(answer["error"]["code"], -32700, "{door}: {answer}");
                assert!(answer.get("id").is_none_or(Value::is_null), "{door}: {answer}");
                assert_eq!(peer.ask("p", "ping", json!({})).await["result"], json!({}), "{door}: it is kept");
                peer.send(Value::Null, "ping", json!({})).await;
                let answer = peer.next().await.expect("it is told");
                assert_eq!(answer["error"]["code"], -32600, "{door}: a null id: {answer}");
                assert_eq!(peer.ask("q", "ping", json!({})).await["result"], json!({}), "{door}: it is kept");
                assert_eq!(peer.aside(), [] as [Value; 0], "{door}");
            }
        }
    });
}

#[test]
fn batches_are_of_one_revision_alone() {
    run(async {
        let daemon = Daemon::start().await;
        let batch = json!([
            { "jsonrpc": "2.0", "id": 1, "method": "ping" },
            { "jsonrpc": "2.0", "method": "notifications/progress" },
            { "jsonrpc": "2.0", "id": 2, "method": "tools/list" },
        ]);
        for (door, mut peer) in Peer::all(&daemon).await {
            peer.open("2025-03-26").await;
            peer.send_text(&batch.to_string()).await;
            let answers = peer.next().await.expect("an answer");
            let mut ids: Vec<_> =
                answers.as_array().expect("one array").iter().map(|one| one["id"].as_i64()).collect();
            ids.sort_unstable();
            assert_eq!(ids, [Some(1), Some(2)], "{door}: {answers}");
        }
        for (door, mut peer) in Peer::all(&daemon).await {
            peer.open("2025-06-18").await;
            peer.send_text(&batch.to_string()).await;
            let answers = peer.next().await.expect("an answer");
            let answers = answers.as_array().expect("one array");
            let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_i64()).collect();
            assert_eq!(ids, [Some(1), Some(2)], "{door}: a notification is not answered: {answers:?}");
            for answer in answers {
                assert_eq!(answer["error"]["code"], -32600, "{door}: {answer}");
            }
            assert_eq!(peer.ask("p", "ping", json!({})).await["result"], json!({}), "{door}: it is kept");
        }
    });
}
