//! The official OpenAI client of Python, unchanged, against `/v1`.

use std::time::Duration;

use harness::upstream::End;
use harness::{Daemon, Llama, Play, Setup, Tools, Upstream, run};
use serde_json::{Value, json};

const TIERS: &str = "
ELITE:
  rate_limit_requests: 1000
  allowed_capabilities: ['*']
  llm_access: true
  allowed_llm_models: ['*']
  max_llm_tokens_per_day: 50000
PRO:
  rate_limit_requests: 0
  allowed_capabilities: ['*']
  llm_access: true
  allowed_llm_models: ['gone']
";

/// What the client reports.
async fn steps(daemon: &Daemon, mode: &str) -> Vec<Value> {
    let mut client = Tools::get().python("oai");
    client.arg(mode);
    client.env("OPENAI_BASE_URL", format!("http://{}/v1", daemon.address));
    client.env("OPENAI_API_KEY", daemon.token());
    client.env("GUEST_KEY", daemon.token_for("guest", &["--tier", "PRO"]).await);
    let ended = client.output().await.expect("the client runs");
    let (said, complaints) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}\n{complaints}\n{}", daemon.log());
    said.lines().map(|line| serde_json::from_str(line).expect("a report")).collect()
}

#[test]
fn openais_own_client_runs_unchanged() {
    Tools::get();
    run(async {
        let (upstream, mut gone) = (Upstream::start().await, Upstream::start().await);
        gone.down().await;
        let model = |alias: &str, kind: &str, url: String| {
            format!(
                "  {alias}: {{provider: openai_compatible, model: m, base_url: \"{url}\", kind: {kind}, retries: 0}}\n"
            )
        };
        let models = format!(
            "models:\n{}{}{}",
            model("small", "chat", upstream.v1()),
            model("vectors", "embedding", upstream.v1()),
            model("gone", "chat", gone.v1())
        );
        let setup = Setup { models: Some(models), tiers: Some(TIERS.to_owned()), ..Setup::default() };
        let daemon = setup.start().await;
        let tool = || Play::tool("get_weather", json!({ "city": "Paris" }));
        // In the order in which the script asks.
        for play in [
            Play::default(),
            Play::default(),
            tool(),
            tool(),
            Play::text("{\"hello\": \"world\"}"),
            Play::text("A picture."),
            Play::status(500),
            Play::status(503).retry_after("60"),
            Play::pieces(5).errs_after(2),
            Play::default().endless().slowly(Duration::from_millis(5)),
        ] {
            upstream.next(play);
        }
        let steps = steps(&daemon, "scripted").await;
        let paris = json!({ "city": "Paris" });
        let too_much = steps.last().expect("it reports");
        assert_eq!(
            steps,
            [
                json!({ "step": "models", "ids": ["gone", "small", "vectors"] }),
                json!({ "step": "chat", "text": "Hello from the upstream.", "tokens": 15 }),
                json!({ "step": "stream", "text": "Hello from the upstream.", "finish": "stop", "tokens": 15 }),
                json!({ "step": "tool", "name": "get_weather", "arguments": paris }),
                json!({ "step": "tool in a stream", "name": "get_weather", "arguments": paris }),
                json!({ "step": "json", "value": { "hello": "world" } }),
                json!({ "step": "image", "text": "A picture." }),
                json!({ "step": "upstream fails", "status": 502, "code": "refused" }),
                json!({ "step": "upstream is overloaded", "status": 503, "code": "overloaded", "retry-after": "60" }),
                json!({ "step": "upstream is down", "status": 502, "code": "connect" }),
                json!({
                    "step": "stream fails", "text": "w0 w1 ", "code": "failed",
                    "message": "Model 'small': its provider failed: The upstream gave up.",
                }),
                json!({ "step": "left" }),
                json!({ "step": "embeddings", "count": 2, "floats": true, "tokens": 10 }),
                json!({ "step": "wrong key", "status": 401, "code": "invalid_api_key" }),
                json!({ "step": "no such model", "status": 404, "code": "model_not_found" }),
                json!({ "step": "not your model", "status": 403, "code": "model_not_allowed" }),
                json!({ "step": "bad parameter", "status": 400, "code": "invalid_params" }),
                json!({
                    "step": "too much", "status": 429, "code": "insufficient_quota",
                    "retry-after": too_much["retry-after"],
                    "x-ratelimit-limit-tokens": "50000",
                    "x-ratelimit-remaining-tokens": too_much["x-ratelimit-remaining-tokens"],
                    "x-ratelimit-reset-tokens": too_much["x-ratelimit-reset-tokens"],
                    "x-ratelimit-limit-requests": "1000",
                    "x-ratelimit-remaining-requests": too_much["x-ratelimit-remaining-requests"],
                }),
            ]
        );
        let number = |name: &str| too_much[name].as_str().and_then(|text| text.parse::<u64>().ok());
        assert!(number("retry-after").is_some_and(|wait| wait > 0 && wait <= 86_400), "{too_much}");
        assert!(number("x-ratelimit-remaining-tokens").is_some_and(|left| left < 50_000), "{too_much}");
        assert!(number("x-ratelimit-remaining-requests").is_some_and(|left| left < 1000), "{too_much}");
        assert!(
            too_much["x-ratelimit-reset-tokens"].as_str().is_some_and(|text| text.ends_with('s')),
            "{too_much}"
        );

        let asked = upstream.requests();
        assert_eq!(asked[4].json()["response_format"], json!({ "type": "json_object" }));
        let seen = &asked[5].json()["messages"][0]["content"][1]["image_url"]["url"];
        assert_eq!(*seen, "data:image/png;base64,iVBORw0KGgo=");
        let mut ends = Vec::new();
        for request in 0..asked.len() {
            ends.push(upstream.ended(request).await);
        }
        let left: Vec<_> = (0..ends.len()).filter(|request| ends[*request] == End::HungUp).collect();
        assert_eq!(left, [9], "the one that was left, and no other: {ends:?}");
    });
}

#[test]
fn openais_own_client_reaches_a_real_model() {
    Tools::get();
    run(async {
        let (text, caller) = (Llama::text().await, Llama::tools().await);
        let model = |alias: &str, llama: &Llama| {
            format!(
                "  {alias}: {{provider: llama_cpp, model: m, base_url: \"{}\", max_output_tokens: 50}}\n",
                llama.v1()
            )
        };
        let models = format!("models:\n{}{}", model("small", &text), model("caller", &caller));
        let daemon = Setup { models: Some(models), ..Setup::default() }.start().await;
        let steps = steps(&daemon, "real").await;
        let paris = json!({ "city": "Paris" });
        let tokens = &steps[0]["tokens"];
        assert!(tokens.as_u64() > Some(5), "{steps:?}");
        assert_eq!(
            steps,
            [
                json!({ "step": "chat", "text": "Hello from a real llama.", "tokens": tokens }),
                json!({ "step": "stream", "text": "Hello from a real llama.", "finish": "stop", "tokens": tokens }),
                json!({ "step": "tool", "name": "get_weather", "arguments": paris }),
                json!({ "step": "tool in a stream", "name": "get_weather", "arguments": paris }),
            ]
        );
    });
}
