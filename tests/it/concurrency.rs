//! Many calls on one connection: they overtake one another, can be cancelled, and are bounded.

use std::time::Duration;

use futures_util::FutureExt as _;
use harness::{Client, Daemon, Setup, Toy, run, until};
use serde_json::{Value, json};

/// A daemon with a backend whose calls take as long as the test likes.
async fn start(variables: &[(&'static str, &str)]) -> (Daemon, Toy) {
    let environment = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let daemon = Setup { environment, ..Setup::default() }.start().await;
    let toy = Toy::start(&daemon.dir().join("run"), "toy");
    daemon.logged("backend connected").await;
    (daemon, toy)
}

async fn doors(daemon: &Daemon) -> [(&'static str, Client); 2] {
    [("ws", daemon.client().await), ("unix", daemon.unix("gateway").await)]
}

#[test]
fn a_slow_call_holds_up_no_other_and_answers_overtake() {
    run(async {
        let (daemon, toy) = start(&[]).await;
        for (door, client) in doors(&daemon).await {
            let key = |name: &str| format!("{door}-{name}");
            let (_, slow) = client.begin("mcp.toy.wait", json!([key("slow")])).await;
            let (_, slower) = client.begin("mcp.toy.wait", json!([key("slower")])).await;
            toy.waits(&key("slow")).await;
            toy.waits(&key("slower")).await;
            assert!(client.ok("mcp.hello", json!([])).await.is_array());
            assert!(client.ok("mcp.fs.list", json!(["/"])).await.is_array());
            toy.release(&key("slow"));
            assert_eq!(slow.await.expect("it is released")["key"], key("slow"));
            toy.release(&key("slower"));
            assert_eq!(slower.await.expect("it is released")["key"], key("slower"));
        }
        assert!(!toy.was_pipelined(), "the original's protocol is one request at a time on a connection");
    });
}

#[test]
fn a_batch_with_a_slow_member_holds_up_no_other_call() {
    run(async {
        let (daemon, toy) = start(&[]).await;
        for (door, client) in doors(&daemon).await {
            let key = format!("{door}-batch");
            let wait = json!({ "jsonrpc": "2.0", "id": "w", "method": "mcp.toy.wait", "params": [key] });
            let hello = json!({ "jsonrpc": "2.0", "id": "h", "method": "mcp.hello" });
            client.send(json!([wait, hello]).to_string()).await;
            toy.waits(&key).await;
            assert!(client.ok("mcp.hello", json!([])).await.is_array());
            toy.release(&key);
            let answer = client.stray().await.expect("the batch is answered");
            assert_eq!(answer.as_array().map(Vec::len), Some(2), "{answer}");
        }
    });
}

#[test]
fn a_call_is_cancelled_by_its_id_on_its_own_connection() {
    run(async {
        let (daemon, toy) = start(&[]).await;
        for (door, client) in doors(&daemon).await {
            let (id, waiting) = client.begin("mcp.toy.wait", json!([door])).await;
            toy.waits(door).await;
            let other = daemon.client().await;
            other
                .send(
                    json!({ "jsonrpc": "2.0", "id": "c", "method": "mcp.cancel", "params": [id] })
                        .to_string(),
                )
                .await;
            let elsewhere = other.stray().await.expect("it is answered");
            assert_eq!(elsewhere["result"], json!({ "cancelled": false }), "{door}: not from elsewhere");
            assert_eq!(
                client.ok("mcp.cancel", json!({ "id": "no such" })).await,
                json!({ "cancelled": false })
            );
            assert_eq!(client.ok("mcp.cancel", json!({ "id": id })).await, json!({ "cancelled": true }));
            assert_eq!(waiting.await.expect_err("cancelled")["code"], -32063, "{door}");
            toy.gone(door).await;
            assert_eq!(
                client.ok("mcp.cancel", json!([id])).await,
                json!({ "cancelled": false }),
                "only once"
            );
            for id in [json!("text"), json!(u64::MAX), json!(-3)] {
                let key = format!("{door}{id}");
                let wait = json!({ "jsonrpc": "2.0", "id": id, "method": "mcp.toy.wait", "params": [key] });
                client.send(wait.to_string()).await;
                toy.waits(&key).await;
                assert_eq!(
                    client.ok("mcp.cancel", json!([id])).await,
                    json!({ "cancelled": true }),
                    "{door}: {id}"
                );
                let answer = client.stray().await.expect("it is answered");
                assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32063)), "{answer}");
            }
        }
    });
}

#[test]
fn a_disconnect_cancels_what_is_under_way() {
    run(async {
        // Also when nothing more is read from the connection, because as many calls are open as allowed.
        for in_flight in ["64", "1"] {
            let (daemon, toy) = start(&[("LLMBDO_LIMITS_IN_FLIGHT_PER_CONNECTION", in_flight)]).await;
            for (door, client) in doors(&daemon).await {
                drop(client.begin("mcp.toy.wait", json!([door])).await);
                toy.waits(door).await;
                drop(client);
                toy.gone(door).await;
            }
            let admin = daemon.unix("admin").await;
            until("nothing is under way", async || in_flight_now(&admin).await == json!(1)).await;
        }
    });
}

/// Calls under way, the asking one included.
async fn in_flight_now(admin: &Client) -> Value {
    admin.ok("mcp.admin.stats", json!({})).await["calls"]["in_flight"].clone()
}

#[test]
fn a_connection_with_too_many_calls_is_held_back_and_loses_none() {
    run(async {
        let (daemon, toy) = start(&[("LLMBDO_LIMITS_IN_FLIGHT_PER_CONNECTION", "2")]).await;
        for (door, client) in doors(&daemon).await {
            let keys = [format!("{door}-a"), format!("{door}-b")];
            let (_, first) = client.begin("mcp.toy.wait", json!([keys[0]])).await;
            let (_, second) = client.begin("mcp.toy.wait", json!([keys[1]])).await;
            toy.waits(&keys[0]).await;
            toy.waits(&keys[1]).await;
            let mut held = Vec::new();
            for _ in 0..50 {
                held.push(Box::pin(client.begin("mcp.hello", json!([])).await.1));
            }
            // Others are served meanwhile.
            let other = daemon.client().await;
            for _ in 0..10 {
                other.ok("mcp.fs.list", json!(["/"])).await;
            }
            assert!(held[0].as_mut().now_or_never().is_none(), "{door}: answered beyond the limit");
            toy.release(&keys[0]);
            first.await.expect("it is released");
            for hello in held {
                assert!(hello.await.is_ok(), "{door}: held back, not lost");
            }
            toy.release(&keys[1]);
            second.await.expect("it is released");
        }
    });
}

#[test]
fn a_connection_that_is_held_back_is_not_taken_for_dead() {
    run(async {
        let limits = [("LLMBDO_LIMITS_IN_FLIGHT_PER_CONNECTION", "1"), ("LLMBDO_LIMITS_PING_SECONDS", "1")];
        let (daemon, toy) = start(&limits).await;
        for (held, key) in [(0, "empty"), (5, "more")] {
            let client = daemon.client().await;
            let (_, call) = client.begin("mcp.toy.wait", json!([key])).await;
            toy.waits(key).await;
            let mut behind = Vec::new();
            for _ in 0..held {
                behind.push(client.begin("mcp.hello", json!([])).await.1);
            }
            // More pings than may go unanswered; the answers lie behind what is not read.
            tokio::time::sleep(Duration::from_secs(5)).await;
            toy.release(key);
            assert!(call.await.is_ok(), "{held} behind it");
            for hello in behind {
                assert!(hello.await.is_ok(), "{held} behind it");
            }
        }
    });
}

#[test]
fn an_instance_with_too_many_calls_says_so_at_once() {
    run(async {
        let limits = [("LLMBDO_LIMITS_IN_FLIGHT", "2"), ("LLMBDO_LIMITS_IN_FLIGHT_PER_CONNECTION", "2")];
        let (daemon, toy) = start(&limits).await;
        let (a, b) = (daemon.client().await, daemon.unix("gateway").await);
        let (_, first) = a.begin("mcp.toy.wait", json!(["a"])).await;
        let (_, second) = b.begin("mcp.toy.wait", json!(["b"])).await;
        toy.waits("a").await;
        toy.waits("b").await;
        let refused = b.call("mcp.fs.list", json!(["/"])).await.expect_err("there is no room");
        assert_eq!(
            (&refused["code"], &refused["data"]["retry_safe"]),
            (&json!(-32064), &json!(true)),
            "{refused}"
        );
        assert!(refused["data"]["retry_after_ms"].is_u64(), "{refused}");
        toy.release("a");
        first.await.expect("it is released");
        assert!(b.ok("mcp.fs.list", json!(["/"])).await.is_array(), "there is room again");
        toy.release("b");
        second.await.expect("it is released");
    });
}

#[test]
fn a_call_that_takes_too_long_is_answered_and_told_to_stop() {
    run(async {
        let (daemon, toy) = start(&[("LLMBDO_LIMITS_CALL_SECONDS", "1")]).await;
        for (door, client) in doors(&daemon).await {
            let late = client.call("mcp.toy.wait", json!([door])).await.expect_err("nobody releases it");
            assert_eq!(late["code"], -32062, "{door}: {late}");
            toy.gone(door).await;
            assert!(client.ok("mcp.fs.list", json!(["/"])).await.is_array(), "the connection stays");
            // A method with a limit of its own is not bound by the instance's.
            let (id, follow) = client.begin("mcp.admin.events", json!({ "follow": true, "limit": 0 })).await;
            client.code("mcp.toy.wait", json!([door])).await;
            assert_eq!(client.ok("mcp.cancel", json!([id])).await["cancelled"], true);
            assert_eq!(follow.await.expect_err("cancelled")["code"], -32063);
        }
    });
}
