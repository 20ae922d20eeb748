//! `/v1`: OpenAI's own dialect.

use harness::posted::{get, post};
use harness::{Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{daemon, model};

fn body(more: Value) -> Value {
    let mut body = json!({ "model": "small", "messages": [{ "role": "user", "content": "Say hello." }] });
    let Value::Object(more) = more else { panic!("an object") };
    body.as_object_mut().expect("an object").extend(more);
    body
}

const CHAT: &str = "/v1/chat/completions";

#[test]
fn a_program_that_speaks_as_openai_does_finds_all_it_looks_for() {
    run(async {
        let upstream = Upstream::start().await;
        let models = [
            model("small", &upstream.v1(), ", default: true"),
            model("vectors", &upstream.v1(), ", kind: embedding"),
        ];
        let daemon = daemon(&models.concat(), Setup::default()).await;
        let bearer = format!("Bearer {}", daemon.token());
        let token = [("authorization", bearer.as_str())];
        let at = daemon.address.as_str();

        let listed = get(at, "/v1/models", &token).await.expect("an answer").json().await;
        assert_eq!(listed["object"], "list");
        assert_eq!(
            (&listed["data"][0]["id"], &listed["data"][0]["object"]),
            (&json!("small"), &json!("model"))
        );
        assert_eq!(get(at, "/v1/models/small", &token).await.expect("an answer").json().await["id"], "small");
        assert_eq!(get(at, "/v1/models/none", &token).await.expect("an answer").status, 404);

        let mut whole = post(at, CHAT, &token, &body(json!({}))).await.expect("an answer");
        assert_eq!(whole.status, 200);
        assert_eq!(whole.json().await["choices"][0]["message"]["content"], "Hello from the upstream.");

        let mut streamed = post(at, CHAT, &token, &body(json!({ "stream": true }))).await.expect("an answer");
        assert_eq!(streamed.header("content-type"), "text/event-stream");
        let mut events = streamed.events().await;
        assert_eq!(events.pop().as_deref(), Some("[DONE]"));
        let chunks: Vec<Value> =
            events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        assert_eq!(crate::text(&chunks), "Hello from the upstream.");
        assert!(
            chunks.iter().all(|chunk| chunk["choices"] != json!([])),
            "no accounting that was not asked for"
        );
        let wanted = json!({ "stream": true, "stream_options": { "include_usage": true } });
        let events = post(at, CHAT, &token, &body(wanted)).await.expect("an answer").events().await;
        let last: Value = serde_json::from_str(&events[events.len() - 2]).expect("JSON");
        assert_eq!(last["usage"]["total_tokens"], 15);

        let asked = json!({ "model": "vectors", "input": ["a", "b"] });
        let embedded = post(at, "/v1/embeddings", &token, &asked).await.expect("an answer").json().await;
        assert_eq!(embedded["data"].as_array().map(Vec::len), Some(2), "{embedded}");
    });
}

#[test]
fn what_fails_fails_as_its_clients_know_it() {
    run(async {
        let upstream = Upstream::start().await;
        let tiers = "ELITE:\n  rate_limit_requests: 1000\n  allowed_capabilities: ['*']\n  llm_access: true\n  \
                     allowed_llm_models: ['small']\n  max_llm_tokens_per_day: 200\n";
        let setup = Setup { tiers: Some(tiers.to_owned()), ..Setup::default() };
        let models = [model("small", &upstream.v1(), ", retries: 0"), model("big", &upstream.v1(), "")];
        let daemon = daemon(&models.concat(), setup).await;
        let bearer = format!("Bearer {}", daemon.token());
        let token = [("authorization", bearer.as_str())];
        let at = daemon.address.as_str();
        let wrong = [("authorization", "Bearer llmb_wrong")];

        for (headers, asked, status, code) in [
            (&wrong, body(json!({})), 401, "invalid_api_key"),
            (&token, body(json!({ "model": "big" })), 403, "model_not_allowed"),
            (&token, body(json!({ "temperature": 9 })), 400, "invalid_params"),
            (&token, json!({ "model": "small" }), 400, "invalid_params"),
            (&token, body(json!({ "max_tokens": 300 })), 429, "insufficient_quota"),
        ] {
            let mut refused = post(at, CHAT, headers, &asked).await.expect("an answer");
            assert_eq!(refused.status, status, "{asked}");
            let error = refused.json().await["error"].clone();
            assert_eq!(error["code"], code, "{error}");
            assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
            if status == 429 {
                assert!(refused.header("retry-after").parse::<u64>().is_ok());
            }
        }
        assert_eq!(upstream.count(), 0);
        let served = post(at, CHAT, &token, &body(json!({ "max_tokens": 20 }))).await.expect("an answer");
        assert_eq!(served.header("x-ratelimit-limit-tokens"), "200");
        assert!(served.header("x-ratelimit-remaining-tokens").parse::<u64>().is_ok_and(|left| left < 200));
        assert_eq!(served.header("x-ratelimit-limit-requests"), "1000");

        upstream.next(Play::status(500));
        assert_eq!(
            post(at, CHAT, &token, &body(json!({ "max_tokens": 9 }))).await.expect("an answer").status,
            502
        );
        upstream.next(Play::pieces(5).closes_after(2));
        let asked = body(json!({ "stream": true, "max_tokens": 9 }));
        let events = post(at, CHAT, &token, &asked).await.expect("an answer").events().await;
        let [.., error, done] = events.as_slice() else { panic!("{events:?}") };
        assert!(error.contains("\"error\"") && done == "[DONE]", "{events:?}");
    });
}

#[test]
fn a_client_that_leaves_stops_the_upstream() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().endless().slowly(std::time::Duration::from_millis(5)));
        let daemon = daemon(&model("small", &upstream.v1(), ""), Setup::default()).await;
        let bearer = format!("Bearer {}", daemon.token());
        let token = [("authorization", bearer.as_str())];
        let asked = body(json!({ "stream": true }));
        let mut streamed = post(&daemon.address, CHAT, &token, &asked).await.expect("an answer");
        streamed.event().await.expect("it has begun");
        drop(streamed);
        upstream.hangs_up(1).await;
    });
}
