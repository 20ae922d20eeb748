//! Limits that hold: in races, over restarts, and where nobody counts but us.

use harness::{Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{KEY, asks, daemon, model, stream};

fn tiers(more: &str) -> String {
    format!(
        "ELITE:\n  rate_limit_requests: 0\n  allowed_capabilities: ['*']\n  llm_access: true\n  \
         allowed_llm_models: ['small']\n{more}"
    )
}

fn setup(more: &str) -> Setup {
    Setup {
        tiers: Some(tiers(more)),
        settings: "limits: {in_flight_per_connection: 512}\n".to_owned(),
        ..Setup::default()
    }
}

/// Tokens used and reserved today.
async fn tokens(daemon: &harness::Daemon) -> Value {
    daemon.client().await.ok("mcp.llm.usage", json!({})).await["today"]["tokens"].clone()
}

#[test]
fn two_hundred_at_once_never_pass_the_days_tokens() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().usage(10, 20));
        let models = model("small", &upstream.v1(), ", concurrency: 300");
        // A call reserves what is counted of its prompt and 20 to write; what fits is found out from the first.
        let limited = daemon(&models, setup("  max_llm_tokens_per_day: 900\n")).await;
        let client = limited.client().await;
        let options = json!({ "max_tokens": 20 });
        let calls = (0..200).map(async |_| client.call("mcp.llm.chat", asks(&options)).await);
        let answers = futures_util::future::join_all(calls).await;
        let served = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(refused["code"], -32003, "{refused}");
            assert!(
                refused["data"]["resets_at"].is_string() && refused["data"]["remaining"].is_u64(),
                "{refused}"
            );
        }
        assert!(served > 0 && served < 200, "{served}");
        assert_eq!(upstream.count() as u64, served, "what is refused is not asked");
        assert_eq!(upstream.told().total(), served * 30);
        assert!(upstream.told().total() <= 900);
        assert_eq!(tokens(&limited).await, served * 30, "what was used is what the upstream says");
        let limited = limited.crash_and_restart().await;
        assert_eq!(tokens(&limited).await, served * 30, "a crash changes nothing");
    });
}

#[test]
fn what_a_killed_daemon_had_reserved_stays_counted() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().held());
        let models =
            model("small", &upstream.v1(), "").replace("first_token_seconds: 1", "first_token_seconds: 60");
        let limited = daemon(&models, setup("  max_llm_tokens_per_day: 900\n")).await;
        let client = limited.client().await;
        let (_, _answer) = client.begin("mcp.llm.chat", asks(&json!({ "max_tokens": 500 }))).await;
        upstream.holds(1).await;
        let reserved = tokens(&limited).await;
        assert!(reserved.as_u64() >= Some(500), "{reserved}");
        let limited = limited.crash_and_restart().await;
        assert_eq!(tokens(&limited).await, reserved);
        let client = limited.client().await;
        let error = client.call("mcp.llm.chat", asks(&json!({ "max_tokens": 500 }))).await;
        assert_eq!(error.expect_err("it may have been used")["code"], -32003);
    });
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
        client.ok("mcp.llm.chat", asks(&json!({ "max_tokens": 100 }))).await;
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

#[test]
fn a_key_is_seen_nowhere_but_at_its_upstream() {
    run(async {
        let upstream = Upstream::start().await;
        let body = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}") } });
        let mut daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), setup("")).await;
        let client = daemon.client().await;
        client.ok("mcp.llm.chat", asks(&json!({}))).await;
        assert!(upstream.last().header("authorization").is_some_and(|shown| shown.contains(KEY)));
        upstream.next(Play::status_with(401, &body.to_string()));
        let mut said = client.call("mcp.llm.chat", asks(&json!({}))).await.expect_err("refused").to_string();
        for method in
            ["mcp.admin.config", "mcp.admin.tree", "mcp.admin.events", "mcp.llm.models", "mcp.llm.usage"]
        {
            said.push_str(&client.ok(method, json!({})).await.to_string());
        }
        daemon.stop().await;
        said.push_str(&daemon.log());
        for entry in walk(daemon.dir()) {
            said.push_str(&String::from_utf8_lossy(&std::fs::read(entry).expect("it is read")));
        }
        let at = said.find(&KEY[..16]);
        assert_eq!(at, None, "{}", &said[at.unwrap_or(0).saturating_sub(200)..][..400.min(said.len())]);
    });
}

/// Every file below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.is_file());
    files.chain(folders.iter().flat_map(|folder| walk(folder))).collect()
}
