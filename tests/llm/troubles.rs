//! Upstreams that misbehave: one clear error and an end, never a hang.

use harness::{Play, Setup, Upstream, run};
use serde_json::json;

use crate::{asks, daemon, kind, model, stream, text};

#[test]
fn every_trouble_of_an_upstream_is_one_clear_error() {
    run(async {
        let upstream = Upstream::start().await;
        let elsewhere = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let client = daemon.client().await;
        for (what, play, kinds) in [
            ("no end", Play::pieces(3).without_end(), "ok"),
            ("broken JSON", Play::pieces(5).breaks_json_after(2), "broken"),
            ("a stall before the first byte", Play::stall(), "timeout"),
            ("a stall in the middle", Play::pieces(5).stalls_after(2), "timeout"),
            ("a close in the middle", Play::pieces(5).closes_after(2), "closed"),
            ("a close before the first byte", Play::hang_up(), "closed"),
            ("an error in the middle", Play::pieces(5).errs_after(2), "failed"),
            ("a line without end", Play::pieces(5).long_line_after(2), "broken"),
            ("a redirect", Play::redirect(&elsewhere.v1()), "refused"),
            ("a refusal", Play::status(400), "refused"),
            ("an overload", Play::status(503), "overloaded"),
        ] {
            // An answer in between keeps the breaker closed.
            client.ok("mcp.llm.chat", asks(&json!({}))).await;
            upstream.next(play);
            let (chunks, end) = stream(&client, json!({ "stream": true })).await;
            if kinds == "ok" {
                assert_eq!(text(&chunks), "w0 w1 w2 ", "{what}");
                assert!(end.is_ok(), "{what}: {end:?}");
            } else {
                assert_eq!(kind(&end), kinds, "{what}: {end:?}");
            }
        }
        assert_eq!(elsewhere.count(), 0, "a key is not carried elsewhere");
        assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    });
}

#[test]
fn another_model_stands_in_and_one_that_fails_on_is_left_alone() {
    run(async {
        let (mut ill, well) = (Upstream::start().await, Upstream::start().await);
        let models = [
            model("first", &ill.v1(), ", retries: 0, fallbacks: [second], default: true"),
            model("second", &well.v1(), ""),
        ]
        .concat();
        let daemon = daemon(&models, Setup::default()).await;
        let client = daemon.client().await;
        ill.down().await;
        for n in 1..=6 {
            let (chunks, end) = stream(&client, json!({ "stream": true })).await;
            assert_eq!(text(&chunks), "Hello from the upstream.");
            assert_eq!(end.expect("it ends well")["model"], "second");
            assert_eq!(well.count(), n);
        }
        let listed = client.ok("mcp.llm.models", json!({})).await;
        assert_eq!(listed["models"][0]["state"], "open", "{listed}");
        let actor = client.ok("mcp.admin.actor", json!({ "id": "llm" })).await;
        assert!(actor["note"].as_str().is_some_and(|note| note.starts_with("first: not asked")), "{actor}");
        // It is well again, and still not asked.
        ill.up().await;
        let (_, end) = stream(&client, json!({ "stream": true })).await;
        assert_eq!((end.expect("it ends well")["model"].as_str(), ill.count()), (Some("second"), 0));
    });
}

#[test]
fn as_many_as_may_use_a_model_at_once_do_and_the_rest_waits_or_is_refused() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().held());
        let models = model("small", &upstream.v1(), ", concurrency: 2, queue: 1, retries: 0")
            .replace("first_token_seconds: 1", "first_token_seconds: 60");
        let daemon = daemon(&models, Setup::default()).await;
        let client = daemon.client().await;
        let mut answers = Vec::new();
        for n in 1..=3 {
            answers.push(client.begin("mcp.llm.chat", asks(&json!({}))).await.1);
            upstream.holds(n.min(2)).await;
        }
        harness::until("one waits", async || {
            client.ok("mcp.llm.models", json!({})).await["models"][0]["waiting"] == 1
        })
        .await;
        assert_eq!(kind(&client.call("mcp.llm.chat", asks(&json!({}))).await), "queue_full");
        upstream.release();
        upstream.asked(3).await;
        upstream.holds(1).await;
        upstream.release();
        for answer in answers {
            answer.await.expect("it is answered");
        }
        assert_eq!(upstream.most_at_once(), 2);
    });
}

#[test]
fn without_a_model_it_is_said_what_to_set() {
    run(async {
        let daemon = daemon("", Setup::default()).await;
        let client = daemon.client().await;
        let error = client.call("mcp.llm.chat", asks(&json!({}))).await.expect_err("there is none");
        assert_eq!(error["code"], -32051);
        assert!(error["message"].as_str().is_some_and(|text| text.contains("OPENAI_API_KEY")), "{error}");
    });
}
