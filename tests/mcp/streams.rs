//! Streams of events: what their end means in each era, how a legacy client comes back to one, and what a reader that
//! stalls costs.

use std::time::{Duration, Instant};

use harness::{Daemon, Setup, run, until};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::{Host, MODERN, Response, meta, tool, with};
use crate::{fixtures, resident};

/// Sends a request and does not wait for an answer.
async fn begun(host: &Host, body: &Value) -> TcpStream {
    let body = body.to_string();
    let mut stream = TcpStream::connect(&host.address).await.expect("the door is open");
    let request = format!("{}Content-Length: {}\r\n\r\n{body}", host.head("POST"), body.len());
    stream.write_all(request.as_bytes()).await.expect("it reads");
    stream
}

/// How many calls of `method` ended like this.
pub(crate) fn ended(daemon: &Daemon, method: &str, outcome: &str) -> i64 {
    let sql = "SELECT coalesce(sum(calls), 0) FROM audit WHERE method = ?1 AND outcome = ?2";
    daemon.query(|db| db.query_row(sql, [method, outcome], |row| row.get(0)))
}

/// Calls under way, the one that asks included.
async fn in_flight(host: &Host) -> i64 {
    let stats = host.ok("tools/call", tool("admin_stats", json!({}))).await;
    stats["structuredContent"]["calls"]["in_flight"].as_i64().expect("a number")
}

fn slow() -> Value {
    tool("slow_compute", json!({ "seconds": 100 }))
}

#[test]
fn the_end_of_a_modern_response_is_the_end_of_its_call() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let says = host
            .but("MCP-Protocol-Version", MODERN)
            .but("Mcp-Method", "tools/call")
            .but("Mcp-Name", "slow_compute");
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": with(slow(), meta()) });
        let stream = begun(&says, &body).await;
        until("it is under way", async || in_flight(&host).await == 2).await;
        drop(stream);
        until("it stops", async || ended(&daemon, "mcp.slow.compute", "disconnected") == 1).await;
    });
}

#[test]
fn a_legacy_call_goes_on_without_its_stream_and_its_answer_is_fetched() {
    run(async {
        let daemon = fixtures("mcp: { stream_seconds: 1 }\n").await;
        let host = Host::owner(&daemon).open("2025-11-25").await;
        let call = json!({ "jsonrpc": "2.0", "id": "r", "method": "tools/call", "params": tool("test_reconnection", json!({})) });

        // The server closes the stream, and says before when to come back and to what.
        let mut stream = host.send("POST", &call.to_string()).await;
        let primed = stream.event().await.expect("an event");
        assert_eq!(primed.data, "", "{primed:?}");
        assert!(primed.retry.is_some_and(|retry| retry.parse::<u64>().is_ok()));
        assert!(stream.event().await.is_none(), "the stream is closed without an answer");
        let mut last = primed.id.expect("an event has an id");
        let mut streams = 1;
        let answer = 'answer: loop {
            let mut stream = host.but("Last-Event-ID", &last).send("GET", "").await;
            assert_eq!(stream.status, 200);
            streams += 1;
            while let Some(event) = stream.event().await {
                last = event.id.expect("an event has an id");
                if !event.data.is_empty() {
                    break 'answer serde_json::from_str::<Value>(&event.data).expect("a message");
                }
            }
        };
        assert_eq!((&answer["id"], streams > 1), (&json!("r"), true), "{answer}");
        assert!(answer["result"]["content"].is_array(), "{answer}");
        let rest = host.but("Last-Event-ID", &last).send("GET", "").await;
        assert_eq!(rest.messages().await, [] as [Value; 0], "nothing comes behind the answer");

        // The client is cut off before it was told anything.
        let cut_off = begun(&host, &call).await;
        let owner = Host::owner(&daemon);
        until("it is under way", async || in_flight(&owner).await == 2).await;
        drop(cut_off);
        let (stream, _) = last.split_once('-').expect("stream and place");
        let next = format!("{}-0", stream.parse::<u64>().expect("a number") + 1);
        let answer = loop {
            let stream = host.but("Last-Event-ID", &next).send("GET", "").await;
            assert_eq!(stream.status, 200);
            if let Some(answer) = stream.messages().await.pop() {
                break answer;
            }
        };
        assert_eq!(answer["id"], "r", "{answer}");
        until("both were done", async || ended(&daemon, "mcp.test.reconnection", "ok") == 2).await;

        for wrong in ["", "x", "99-0", "0-99", "0-18446744073709551615", "1-18446744073709551615", "-1"] {
            let response = host.but("Last-Event-ID", wrong).send("GET", "").await;
            let status = response.status;
            assert!(status == 400 || wrong.is_empty(), "{wrong}: {status}");
        }
    });
}

#[test]
fn a_second_stream_takes_the_place_of_the_first_and_is_told_at_once() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon).open("2025-11-25").await;
        for _ in 0..2 {
            // Said twice, it is still said once.
            assert_eq!(host.notify("notifications/initialized", json!({})).await.status, 202);
        }
        let mut first = host.send("GET", "").await;
        let mut last = String::new();
        for _ in 0..10 {
            let mut second = host.send("GET", "").await;
            assert!(first.event().await.is_none(), "the first is over");
            host.legacy(json!(1), "tools/call", tool("test_trigger_tool_change", json!({}))).await;
            let begun = Instant::now();
            let event = second.event().await.expect("an event");
            assert!(event.data.contains("notifications/tools/list_changed"), "{event:?}");
            assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
            let id = event.id.expect("an id");
            let at = |id: &str| id.split_once('-').and_then(|(_, at)| at.parse::<u64>().ok()).unwrap_or(0);
            assert_eq!(at(&id), at(&last) + 1, "one change is told once");
            (first, last) = (second, id);
        }
        drop(first);
        let mut again = host.but("Last-Event-ID", "0-3").send("GET", "").await;
        assert_eq!(again.event().await.expect("what came since").id.as_deref(), Some("0-4"));
        assert_eq!(host.send("DELETE", "").await.status, 204);
        while again.event().await.is_some() {}
    });
}

#[test]
fn a_reader_that_stalls_costs_little_and_holds_up_nobody() {
    run(async {
        let setup =
            Setup { settings: "limits: { send_buffer_bytes: 65536 }\n".to_owned(), ..Setup::default() };
        let daemon = setup.start().await;
        let host = Host::owner(&daemon);
        let names: Vec<_> = (0..64).map(|n| format!("{n}-{}", "x".repeat(200))).collect();
        let uris: Vec<_> = names.iter().map(|name| format!("file:///{name}")).collect();
        let wanted = json!({ "notifications": { "resourceSubscriptions": uris } });
        let mut stalled: Vec<Response> = Vec::new();
        for _ in 0..20 {
            stalled.push(host.modern("subscriptions/listen", wanted.clone()).await);
        }
        let before = resident(&daemon);
        for round in 0..100 {
            for name in &names {
                std::fs::write(daemon.file(name), format!("{round}")).expect("a file");
            }
            let read = host.ok("tools/call", tool("fs_read", json!({ "path": "/welcome.md" }))).await;
            assert_eq!(read["isError"], false);
        }
        let grown = resident(&daemon).saturating_sub(before);
        assert!(grown < 32, "{grown} MB more");
        // Whoever reads again is told what is left of it.
        let mut reader = stalled.pop().expect("twenty");
        assert_eq!(
            reader.message().await.expect("the first")["method"],
            "notifications/subscriptions/acknowledged"
        );
        assert_eq!(reader.message().await.expect("the next")["method"], "notifications/resources/updated");
    });
}

#[test]
fn what_is_under_way_when_its_session_ends_stops_unanswered() {
    run(async {
        let daemon = fixtures("").await;
        let owner = Host::owner(&daemon);
        for (round, revision) in (1..).zip(["2025-06-18", "2025-11-25"]) {
            let host = owner.open(revision).await;
            let ends = async {
                until("it is under way", async || in_flight(&owner).await == 2).await;
                assert_eq!(host.send("DELETE", "").await.status, 204);
            };
            let (response, ()) = tokio::join!(host.legacy(json!(1), "tools/call", slow()), ends);
            assert_eq!(response.messages().await, [] as [Value; 0], "{revision}: nobody reads an answer");
            until("the work stops", async || ended(&daemon, "mcp.slow.compute", "disconnected") == round)
                .await;
        }
    });
}
