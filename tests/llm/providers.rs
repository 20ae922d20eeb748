//! What goes wrong with every provider alike, whether its answer comes whole or in parts: one clear error, in a time that
//! is known, on a connection that is as good as before.

use futures_util::future::join_all;
use harness::{Client, Daemon, Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{asks, daemon, kind, stream, text};

const PROVIDERS: [&str; 4] = ["openai_compatible", "anthropic", "gemini", "ollama"];

/// An upstream for each provider, and a daemon that knows it by the provider's name.
async fn all() -> (Vec<Upstream>, Daemon) {
    let upstreams = join_all(PROVIDERS.map(|_| Upstream::start())).await;
    let model = |(provider, upstream): (&&str, &Upstream)| {
        let url = match *provider {
            "gemini" => format!("{}/v1beta", upstream.url()),
            "ollama" => upstream.url(),
            _ => upstream.v1(),
        };
        format!(
            "  {provider}: {{provider: {provider}, model: m, base_url: \"{url}\", retries: 0, \
             timeouts: {{first_token_seconds: 1, idle_seconds: 1}}}}\n"
        )
    };
    let models = PROVIDERS.iter().zip(&upstreams).map(model).collect::<Vec<_>>().concat();
    let daemon = daemon(&models, Setup::default()).await;
    (upstreams, daemon)
}

/// It works, and nothing else is said on the connection.
async fn is_well(client: &Client, provider: &str, after: &str) {
    let whole = client.ok("mcp.llm.chat", asks(&json!({ "model": provider }))).await;
    let said = &whole["choices"][0]["message"]["content"];
    assert_eq!(*said, "Hello from the upstream.", "{provider} after {after}");
    assert_eq!(client.stray_now().await, None, "{provider} after {after}");
}

#[test]
fn a_whole_answer_that_goes_wrong_is_one_clear_error() {
    run(async {
        let (upstreams, daemon) = all().await;
        join_all(PROVIDERS.iter().zip(&upstreams).map(async |(provider, upstream)| {
            let client = daemon.client().await;
            for (what, play, kinds, says) in [
                (
                    "a close in the middle",
                    Play::pieces(5).closes_after(2),
                    "closed",
                    "broke the connection off",
                ),
                (
                    "a length that is not kept",
                    Play::pieces(5).falls_short_after(2),
                    "closed",
                    "broke the connection off",
                ),
                ("a stall in the middle", Play::pieces(5).stalls_after(2), "timeout", "nothing for 1 s"),
                ("a stall before the first byte", Play::stall(), "timeout", "not begun"),
                (
                    "half of the JSON",
                    Play::pieces(5).breaks_json_after(2),
                    "broken",
                    "JSON that ends too early",
                ),
                ("text that is no UTF-8", Play::pieces(5).breaks_utf8_after(2), "broken", "not UTF-8"),
                ("an error with status 200", Play::pieces(5).errs_after(2), "failed", "The upstream gave up"),
                ("a body without end", Play::default().endless(), "broken", "longer than 33554432 bytes"),
                ("a body that nobody asked to be compressed", Play::default().gzip(), "broken", "gzip"),
                ("no JSON at all", Play::status_with(200, "<html>Welcome!</html>"), "broken", "broken JSON"),
                ("other JSON", Play::status_with(200, "[]"), "broken", " sent "),
            ] {
                upstream.next(play);
                let end = client.call("mcp.llm.chat", asks(&json!({ "model": provider }))).await;
                assert_eq!(kind(&end), kinds, "{provider}, {what}: {end:?}");
                let error = end.expect_err("it fails");
                let told = error["message"].as_str().unwrap_or_default();
                assert!(told.contains(says), "{provider}, {what}: {told}");
                is_well(&client, provider, what).await;
            }
        }))
        .await;
        assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    });
}

#[test]
fn a_stream_that_goes_wrong_is_one_clear_error_behind_what_had_come() {
    run(async {
        let (upstreams, daemon) = all().await;
        join_all(PROVIDERS.iter().zip(&upstreams).map(async |(provider, upstream)| {
            let client = daemon.client().await;
            for (what, play, kinds) in [
                ("a close", Play::pieces(5).closes_after(2), "closed"),
                ("a length that is not kept", Play::pieces(5).falls_short_after(2), "closed"),
                ("a stall", Play::pieces(5).stalls_after(2), "timeout"),
                ("broken JSON", Play::pieces(5).breaks_json_after(2), "broken"),
                ("text that is no UTF-8", Play::pieces(5).breaks_utf8_after(2), "broken"),
                ("an error", Play::pieces(5).errs_after(2), "failed"),
                ("a piece that is too large", Play::pieces(5).long_line_after(2), "broken"),
            ] {
                upstream.next(play);
                let (chunks, end) = stream(&client, json!({ "model": provider, "stream": true })).await;
                assert_eq!(kind(&end), kinds, "{provider}, {what}: {end:?}");
                assert_eq!(text(&chunks), "w0 w1 ", "{provider}, {what}");
                is_well(&client, provider, what).await;
            }
            upstream.next(Play::pieces(5).gzip());
            let (chunks, end) = stream(&client, json!({ "model": provider, "stream": true })).await;
            assert_eq!((kind(&end).as_str(), chunks.len()), ("broken", 0), "{provider}: {end:?}");
            is_well(&client, provider, "a stream that nobody asked to be compressed").await;
        }))
        .await;
        assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    });
}

#[test]
fn what_goes_on_for_ever_is_ended_by_the_time_that_all_of_it_may_take() {
    run(async {
        let upstream = Upstream::start().await;
        let models = crate::model("small", &upstream.v1(), ", retries: 0")
            .replace("idle_seconds: 1", "idle_seconds: 1, total_seconds: 1");
        let daemon = daemon(&models, Setup::default()).await;
        let client = daemon.client().await;
        let endless = || Play::default().endless().slowly(std::time::Duration::from_millis(20));
        for options in [json!({ "stream": true }), json!({})] {
            upstream.next(endless());
            let (chunks, end) = stream(&client, options.clone()).await;
            assert_eq!(kind(&end), "timeout", "{options}: {end:?}");
            let error: Value = end.expect_err("it fails");
            let told = error["message"].as_str().unwrap_or_default();
            assert!(told.contains("not finished its answer in 1 s"), "{options}: {told}");
            assert_eq!(chunks.is_empty(), options == json!({}), "{options}");
        }
        upstream.hangs_up(2).await;
        is_well(&client, "small", "an answer without end").await;
    });
}
