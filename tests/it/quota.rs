//! How much: calls per window, for each caller and for all together, over restarts too.

use harness::{Client, Daemon, Setup, run, until};
use serde_json::{Value, json};

/// The shipped FREE and PRO, and no limit at all.
async fn start(licence: &str) -> Daemon {
    Setup { licence: Some(format!("{licence}:ann:2999-12-31")), ..Setup::default() }.start().await
}

/// Makes `n` billed calls at once; returns the refusals.
async fn calls(client: &Client, n: usize) -> Vec<Value> {
    let mut answers = Vec::new();
    for _ in 0..n {
        answers.push(client.begin("mcp.fs.list", json!(["/"])).await.1);
    }
    let mut refusals = Vec::new();
    for answer in answers {
        refusals.extend(answer.await.err());
    }
    refusals
}

async fn remaining(client: &Client) -> Value {
    client.ok("mcp.licence.check", json!([])).await["quotas"]["api_requests_remaining_in_window"].clone()
}

#[test]
fn the_hundred_and_first_call_of_an_hour_is_refused_and_says_when_to_come_back() {
    run(async {
        let daemon = start("FREE").await;
        let client = daemon.client().await;
        // What is refused, unknown, or about the gateway itself costs nothing.
        for _ in 0..20 {
            client.ok("mcp.hello", json!([])).await;
            client.ok("mcp.licence.check", json!([])).await;
            client.ok("mcp.listCapabilities", json!([])).await;
            assert_eq!(client.code("mcp.no.such", json!([])).await, -32601);
            assert_eq!(client.code("mcp.fs.read", json!(["/welcome.md"])).await, -32002);
        }
        assert_eq!(remaining(&client).await, 100);
        let refusals = calls(&client, 101).await;
        let [refusal] = &refusals[..] else { panic!("one of 101 is refused: {refusals:?}") };
        assert_eq!(refusal["code"], -32001, "{refusal}");
        let data = &refusal["data"];
        assert_eq!((&data["limit"], &data["window_seconds"]), (&json!(100), &json!(3600)), "{refusal}");
        assert_eq!(data["scope"], "caller", "{refusal}");
        assert!(data["retry_after_ms"].as_u64().is_some_and(|ms| (1..=36_000).contains(&ms)), "{refusal}");
        assert_eq!(remaining(&client).await, 0);
        assert!(
            client.ok("mcp.hello", json!([])).await.is_array(),
            "the connection stays, and so does what is free"
        );
        // The instance has used up its own, too.
        let other =
            daemon.unix("fs").await.call("mcp.fs.list", json!(["/"])).await.expect_err("nothing is left");
        assert_eq!(
            (&other["code"], &other["data"]["scope"]),
            (&json!(-32001), &json!("instance")),
            "{other}"
        );
    });
}

#[test]
fn one_callers_calls_are_not_anothers() {
    run(async {
        let daemon = start("PRO").await;
        let mut clients = Vec::new();
        for name in ["noisy", "quiet"] {
            let token = daemon.token_for(name, &["--tier", "FREE"]).await;
            clients.push(Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in"));
        }
        assert_eq!(calls(&clients[0], 120).await.len(), 20);
        assert_eq!(calls(&clients[1], 100).await.len(), 0);
        assert_eq!(calls(&daemon.client().await, 200).await.len(), 0, "the owner has the licence's own");
    });
}

#[test]
fn a_restart_gives_nothing_back() {
    run(async {
        let mut daemon = start("FREE").await;
        let used = |client: &Client, least: u64| {
            let client = client.clone();
            async move {
                let left = remaining(&client).await.as_u64().expect("a number");
                // Some may have come back with time: one in 36 seconds.
                assert!(left <= 100 - least + 5, "{left} are left of 100 after {least} calls");
            }
        };
        assert_eq!(calls(&daemon.client().await, 40).await, [] as [Value; 0]);
        daemon = daemon.stop_and_restart().await;
        let client = daemon.client().await;
        used(&client, 40).await;
        assert_eq!(calls(&client, 30).await, [] as [Value; 0]);
        // Written four times a second: what a crash gives back is that much.
        until("the ledger has written", async || written(&daemon, "owner") <= 35).await;
        daemon = daemon.crash_and_restart().await;
        let client = daemon.client().await;
        used(&client, 70).await;
        assert!(calls(&client, 60).await.len() >= 25);
        let token = daemon.token_for("fresh", &[]).await;
        let fresh = Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in");
        assert_eq!(
            fresh.call("mcp.fs.list", json!(["/"])).await.expect_err("used up")["data"]["scope"],
            "instance"
        );
    });
}

/// What the state file says is left to a caller.
fn written(daemon: &Daemon, caller: &str) -> i64 {
    let sql = "SELECT min(remaining) FROM rates WHERE caller = ?1 AND tier = 'FREE'";
    daemon.query(|db| db.query_row(sql, [caller], |row| row.get(0)))
}

#[test]
fn what_is_told_about_when_to_come_back_is_true() {
    run(async {
        let tiers =
            "FREE: { rate_limit_requests: 2, rate_limit_window_seconds: 4, allowed_capabilities: ['*'] }\n";
        let licence = Some("FREE:ann:2999-12-31".to_owned());
        let daemon = Setup { licence, tiers: Some(tiers.to_owned()), ..Setup::default() }.start().await;
        let client = daemon.client().await;
        let refusals = calls(&client, 3).await;
        let wait = refusals.last().expect("the third is refused")["data"]["retry_after_ms"]
            .as_u64()
            .expect("a time");
        assert!((1..=2000).contains(&wait), "two in four seconds is one every two: {wait}");
        tokio::time::sleep(std::time::Duration::from_millis(wait + 1)).await;
        assert_eq!(calls(&client, 1).await, [] as [Value; 0]);
    });
}

#[test]
fn zero_is_no_limit() {
    run(async {
        let daemon = start("ELITE").await;
        let client = daemon.client().await;
        assert_eq!(calls(&client, 500).await, [] as [Value; 0]);
        let quotas = client.ok("mcp.licence.check", json!([])).await["quotas"].clone();
        assert_eq!(
            (&quotas["api_requests_limit"], &quotas["api_requests_remaining_in_window"]),
            (&json!("unlimited"), &json!("unlimited"))
        );
    });
}
