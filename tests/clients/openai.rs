//! The official OpenAI client of Python, unchanged, against `/v1`.

use harness::{Play, Setup, Tools, Upstream, run};
use serde_json::{Value, json};

const TIERS: &str = "ELITE:\n  rate_limit_requests: 0\n  allowed_capabilities: ['*']\n  llm_access: true\n  \
                     allowed_llm_models: ['*']\n  max_llm_tokens_per_day: 50000\n";

#[test]
fn openais_own_client_runs_unchanged() {
    Tools::get();
    run(async {
        let upstream = Upstream::start().await;
        let model = |alias: &str, kind: &str| {
            let url = upstream.v1();
            format!(
                "  {alias}: {{provider: openai_compatible, model: m, base_url: \"{url}\", kind: {kind}, retries: 0}}\n"
            )
        };
        let models = format!("models:\n{}{}", model("small", "chat"), model("vectors", "embedding"));
        let setup = Setup { models: Some(models), tiers: Some(TIERS.to_owned()), ..Setup::default() };
        let daemon = setup.start().await;
        let tool = || Play::tool("get_weather", json!({ "city": "Paris" }));
        let endless = Play::default().endless().slowly(std::time::Duration::from_millis(5));
        // In the order in which the script asks.
        for play in [Play::default(), Play::default(), tool(), tool(), Play::status(500), endless] {
            upstream.next(play);
        }
        let mut client = Tools::get().python("oai");
        client.env("OPENAI_BASE_URL", format!("http://{}/v1", daemon.address));
        client.env("OPENAI_API_KEY", daemon.token());
        let ended = client.output().await.expect("the client runs");
        let (said, complaints) =
            (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success(), "{said}\n{complaints}\n{}", daemon.log());
        let steps: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("a report")).collect();
        let paris = json!({ "city": "Paris" });
        assert_eq!(
            steps,
            [
                json!({ "step": "models", "ids": ["small", "vectors"] }),
                json!({ "step": "chat", "text": "Hello from the upstream.", "tokens": 15 }),
                json!({ "step": "stream", "text": "Hello from the upstream.", "finish": "stop", "tokens": 15 }),
                json!({ "step": "tool", "name": "get_weather", "arguments": paris }),
                json!({ "step": "tool in a stream", "name": "get_weather", "arguments": paris }),
                json!({ "step": "upstream fails", "status": 502, "code": "refused", "retry_after": null }),
                json!({ "step": "left" }),
                json!({ "step": "embeddings", "count": 2, "floats": true }),
                json!({ "step": "wrong key", "status": 401, "code": "invalid_api_key", "retry_after": null }),
                json!({ "step": "no such model", "status": 404, "code": "model_not_found", "retry_after": null }),
                json!({ "step": "bad parameter", "status": 400, "code": "invalid_params", "retry_after": null }),
                json!({
                    "step": "too much", "status": 429, "code": "insufficient_quota",
                    "retry_after": steps[11]["retry_after"].as_str().expect("it is said how long to wait"),
                }),
            ]
        );
        upstream.hangs_up(1).await;
    });
}
