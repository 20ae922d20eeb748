//! Every method is refused to every tier below its own, and to no other, whatever its params are.

use harness::{Client, Daemon, run};
use protocol::{Code, Tier};
use serde_json::{Value, json};

use crate::{catalog, none};

#[test]
fn every_method_is_refused_for_every_lower_tier() {
    run(async {
        let mut daemon = Daemon::start().await;
        for tier in [Tier::Free, Tier::Pro, Tier::Elite] {
            let token = daemon.token_for(tier.name(), &["--tier", tier.name()]).await;
            let client = Client::ws(&daemon.url(), Some(&token)).await.expect("the token gets in");
            check(&client, tier).await;
        }
        daemon.stop().await;
    });
}

async fn check(client: &Client, tier: Tier) {
    let mut wrong = Vec::new();
    for entry in catalog().iter() {
        // Params that no method takes: where the caller may call, that is what it is told.
        let params = json!({ "no such parameter": true });
        let expected = if tier >= entry.tier { Code::InvalidParams } else { Code::PermissionDenied };
        let code = client.code(&entry.name, params).await;
        if code != i64::from(expected.number()) {
            wrong.push(format!("{} as {}: {code}", entry.name, tier.name()));
        }
    }
    let shown = client.ok("mcp.hello", json!([])).await;
    let may: Vec<_> = catalog().iter().filter(|entry| tier >= entry.tier).map(|e| e.name.as_str()).collect();
    if shown != json!(may) {
        wrong.push(format!("mcp.hello shows {} {shown}", tier.name()));
    }
    let offered = client.ok("mcp.listCapabilities", json!([])).await;
    let services = offered.as_array().into_iter().flatten();
    let mut offered: Vec<_> = services
        .flat_map(|service| service["capabilities"].as_array().into_iter().flatten())
        .filter_map(|capability| capability["method"].as_str())
        .collect();
    offered.sort_unstable();
    if offered != may {
        wrong.push(format!("mcp.listCapabilities shows {} {offered:?}", tier.name()));
    }
    none(&wrong);
}

#[test]
fn a_refusal_says_what_to_do_and_does_nothing() {
    run(async {
        let mut daemon = Daemon::start().await;
        let token = daemon.token_for("free", &["--tier", "FREE"]).await;
        let client = Client::ws(&daemon.url(), Some(&token)).await.expect("the token gets in");
        let error =
            client.call("mcp.fs.write", json!(["/a.txt", "x"])).await.expect_err("FREE may not write");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("mcp.fs.write") && message.contains("FREE"), "{error}");
        assert!(!daemon.file("a.txt").exists());
        assert_eq!(client.call("mcp.no.such", Value::Null).await.unwrap_err()["code"], -32602);
        daemon.stop().await;
    });
}
