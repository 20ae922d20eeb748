//! Limits of one call, of tokens, money and models, also where nobody counts but us.

use harness::{Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{asks, daemon, model, stream};

fn tiers(more: &str) -> String {
    format!(
        "ELITE:\n  rate_limit_requests: 0\n  allowed_capabilities: ['*']\n  llm_access: true\n  \
         allowed_llm_models: ['small']\n{more}"
    )
}

pub(crate) fn setup(more: &str) -> Setup {
    Setup {
        tiers: Some(tiers(more)),
        settings: "limits: {in_flight_per_connection: 512}\n".to_owned(),
        ..Setup::default()
    }
}

/// Tokens used and reserved today.
pub(crate) async fn tokens(daemon: &harness::Daemon) -> Value {
    daemon.client().await.ok("mcp.llm.usage", json!({})).await["today"]["tokens"].clone()
}

#[test]
fn who_does_not_say_how_much_is_given_what_is_left() {
    run(async {
        let upstream = Upstream::start().await;
        let limited =
            daemon(&model("small", &upstream.v1(), ""), setup("  max_llm_tokens_per_request: 100\n")).await;
        let client = limited.client().await;
        client.ok("mcp.llm.chat", asks(&json!({}))).await;
        let asked = upstream.last().json()["max_tokens"].as_u64();
        assert!(asked > Some(50) && asked < Some(100), "{asked:?}");
        let error =
            client.call("mcp.llm.chat", asks(&json!({ "max_tokens": 100 }))).await.expect_err("too many");
        assert_eq!((&error["code"], &error["data"]["which"]), (&json!(-32003), &json!("tokens_per_request")));
    });
}

#[test]
fn streams_count_also_where_the_upstream_does_not() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ""), setup("")).await;
        let client = daemon.client().await;
        upstream.next(Play::pieces(50).without_usage());
        let (_, end) = stream(&client, json!({ "stream": true })).await;
        let total = end.expect("it ends well")["usage"]["total_tokens"].clone();
        assert!(total.as_u64() > Some(50), "{total}");
        let used = client.ok("mcp.llm.usage", json!({})).await;
        assert_eq!(used["usage"][0]["estimated_tokens"], total, "{used}");
        assert_eq!(used["today"]["tokens"], total);
    });
}

#[test]
fn money_is_a_limit_too() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().usage(1000, 1000));
        let priced =
            model("small", &upstream.v1(), ", price: {input_per_million: 1000, output_per_million: 2000}");
        let daemon = daemon(&priced, setup("  max_llm_cost_per_day: 3.5\n")).await;
        let client = daemon.client().await;
        let answer = client.ok("mcp.llm.chat", asks(&json!({ "max_tokens": 100 }))).await;
        assert_eq!(answer["usage"]["cost"], 3.0, "{answer}");
        assert_eq!(client.ok("mcp.llm.usage", json!({})).await["today"]["cost"], 3.0);
        let error =
            client.call("mcp.llm.chat", asks(&json!({ "max_tokens": 300 }))).await.expect_err("too dear");
        assert_eq!(error["data"]["which"], "cost_per_day", "{error}");
    });
}

#[test]
fn a_model_that_the_tier_does_not_have_is_refused_and_fields_that_no_chat_has() {
    run(async {
        let upstream = Upstream::start().await;
        let models = [
            model("small", &upstream.v1(), ", default: true, allow_fields: [top_k]"),
            model("big", &upstream.v1(), ""),
        ];
        let daemon = daemon(&models.concat(), setup("")).await;
        let client = daemon.client().await;
        assert_eq!(client.code("mcp.llm.chat", asks(&json!({ "model": "big" }))).await, -32004);
        assert_eq!(client.code("mcp.llm.chat", asks(&json!({ "model": "none" }))).await, -32004);
        let listed = client.ok("mcp.llm.models", json!({})).await;
        assert_eq!(listed["models"].as_array().map(Vec::len), Some(1), "{listed}");
        let error =
            client.call("mcp.llm.chat", asks(&json!({ "min_p": 1 }))).await.expect_err("not let through");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("'min_p'")), "{error}");
        client.ok("mcp.llm.chat", asks(&json!({ "top_k": 3 }))).await;
        assert_eq!(upstream.last().json()["top_k"], 3);
        assert_eq!(upstream.count(), 1);
    });
}
