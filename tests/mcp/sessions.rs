//! Sessions of legacy clients over HTTP: each its caller's alone, bounded in number, ended by whoever opened them.

use harness::{Daemon, Setup, run};
use serde_json::{Value, json};

use crate::http::{Host, initialize, tool};
use crate::{fixtures, resident};

async fn ping(host: &Host) -> u16 {
    host.legacy(json!(1), "ping", json!({})).await.status
}

#[test]
fn a_session_is_named_in_every_request_and_ends_once() {
    run(async {
        let daemon = Daemon::start().await;
        let outside = Host::owner(&daemon);
        let host = outside.open("2025-11-25").await;
        assert_eq!(ping(&host).await, 200);
        let id =
            host.headers.iter().find(|(name, _)| name == "Mcp-Session-Id").expect("it has one").1.clone();
        assert!(id.len() >= 32 && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");

        assert_eq!(ping(&outside).await, 400, "without a session");
        for forged in ["no-such", &"0".repeat(32), "../../etc"] {
            let forger = outside.but("Mcp-Session-Id", forged);
            assert_eq!(ping(&forger).await, 404, "{forged}");
            for verb in ["GET", "DELETE"] {
                assert_eq!(forger.send(verb, "").await.status, 404, "{verb} {forged}");
            }
        }
        for verb in ["GET", "DELETE"] {
            let response = outside.send(verb, "").await;
            assert_eq!((response.status, response.header("allow")), (405, Some("post")), "{verb}");
        }
        assert_eq!(host.notify("notifications/initialized", json!({})).await.status, 202);
        assert_eq!(host.send("DELETE", "").await.status, 204);
        assert_eq!(host.send("DELETE", "").await.status, 404);
        assert_eq!(ping(&host).await, 404);
    });
}

#[test]
fn somebody_elses_session_does_not_exist() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon).open("2025-11-25").await;
        let other = daemon.token_for("other", &[]).await;
        let other = host.but("Authorization", &format!("Bearer {other}"));
        assert_eq!(ping(&other).await, 404);
        for verb in ["GET", "DELETE"] {
            assert_eq!(other.send(verb, "").await.status, 404, "{verb}");
        }
        let body = json!({ "jsonrpc": "2.0", "id": 0, "result": {} }).to_string();
        assert_eq!(other.send("POST", &body).await.status, 404, "answering in its place");
        assert_eq!(ping(&host).await, 200);
    });
}

#[test]
fn sessions_are_bounded_and_so_is_what_they_take() {
    run(async {
        let daemon =
            Setup { settings: "mcp: { sessions: 500 }\n".to_owned(), ..Setup::default() }.start().await;
        let host = Host::owner(&daemon);
        let first = host.open("2025-11-25").await;
        let before = resident(&daemon);
        let mut statuses = std::collections::BTreeMap::new();
        // Ten thousand, eight at a time.
        let body =
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialize("2025-11-25") });
        let body = body.to_string();
        let one = async || {
            let mut statuses = Vec::new();
            for _ in 0..1_250 {
                statuses.push(host.send("POST", &body).await.status);
            }
            statuses
        };
        let all = futures_util::future::join_all((0..8).map(|_| one())).await;
        for status in all.into_iter().flatten() {
            *statuses.entry(status).or_insert(0) += 1;
        }
        assert_eq!(statuses, [(200, 499), (503, 9_501)].into(), "those used a moment ago do not give way");
        let grown = resident(&daemon).saturating_sub(before);
        assert!(grown < 24, "{grown} MB more");
        assert_eq!(ping(&first).await, 200);
        let full = host.send("POST", &body).await.json().await;
        assert!(
            full["error"]["message"].as_str().is_some_and(|text| text.contains("mcp.sessions")),
            "{full}"
        );
        assert_eq!(first.send("DELETE", "").await.status, 204);
        host.open("2025-11-25").await;
    });
}

#[test]
fn calls_of_one_session_are_bounded() {
    run(async {
        let daemon = fixtures("limits: { in_flight_per_connection: 2 }\n").await;
        let host = Host::owner(&daemon).open("2025-06-18").await;
        let slow = |id: i64| {
            let host = host.clone();
            async move {
                host.legacy(json!(id), "tools/call", tool("slow_compute", json!({ "seconds": 60 }))).await
            }
        };
        let mut calls = tokio::task::JoinSet::from_iter([slow(1), slow(2)]);
        harness::until("the third is refused", async || {
            host.legacy(json!(3), "ping", json!({})).await.status == 429
        })
        .await;
        for id in [1, 2] {
            assert_eq!(host.notify("notifications/cancelled", json!({ "requestId": id })).await.status, 202);
        }
        while let Some(response) = calls.join_next().await {
            let response = response.expect("it is answered");
            assert_eq!(response.messages().await, [] as [Value; 0], "a cancelled call is not answered");
        }
        harness::until("there is room again", async || ping(&host).await == 200).await;
    });
}
