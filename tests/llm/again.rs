//! What is asked again, when, and what is not.

use std::time::{Duration, Instant};

use harness::posted::post;
use harness::upstream::http_date;
use harness::{Play, Setup, Upstream, run};
use serde_json::json;

use crate::{asks, daemon, kind, model, stream, text};

const HOUR: u64 = 3_600_000;

#[test]
fn a_provider_that_says_when_to_come_back_is_asked_then_and_not_before() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 1"), Setup::default()).await;
        let client = daemon.client().await;
        upstream.next(Play::status(429).retry_after("1"));
        client.ok("mcp.llm.chat", asks(&json!({}))).await;
        let asked = upstream.requests();
        assert!(asked[1].at - asked[0].at >= Duration::from_secs(1));

        // A date has no parts of seconds: this one is more than one second away.
        let begun = Instant::now();
        upstream.next(Play::status(503).retry_after(&http_date(Duration::from_secs(2))));
        let (_, end) = stream(&client, json!({ "stream": true })).await;
        assert!(end.is_ok(), "{end:?}");
        let asked = upstream.requests();
        assert_eq!(asked.len(), 4);
        assert!(asked[3].at - begun >= Duration::from_secs(1));
    });
}

#[test]
fn a_provider_that_wants_to_be_left_alone_for_long_is_not_waited_for() {
    run(async {
        let (upstream, other) = (Upstream::start().await, Upstream::start().await);
        let models = [
            model("small", &upstream.v1(), ", retries: 3, default: true"),
            model("helped", &upstream.v1(), ", retries: 3, fallbacks: [other]"),
            model("other", &other.v1(), ""),
        ];
        let daemon = daemon(&models.concat(), Setup::default()).await;
        let client = daemon.client().await;
        upstream.next(Play::status(429).retry_after("3600"));
        let end = client.call("mcp.llm.chat", asks(&json!({}))).await;
        assert_eq!((kind(&end).as_str(), upstream.count()), ("rate_limited", 1));
        assert_eq!(end.expect_err("it fails")["data"]["retry_after_ms"], HOUR);

        upstream.next(Play::status(503).retry_after(&http_date(Duration::from_millis(HOUR))));
        let end = client.call("mcp.llm.chat", asks(&json!({}))).await;
        assert_eq!((kind(&end).as_str(), upstream.count()), ("overloaded", 2));
        let wait = end.expect_err("it fails")["data"]["retry_after_ms"].as_u64();
        assert!(wait.is_some_and(|wait| wait <= HOUR && wait > HOUR - 100_000), "{wait:?}");

        upstream.next(Play::status(429).retry_after("3600"));
        let bearer = format!("Bearer {}", daemon.token());
        let asked = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hi" }] });
        let token = [("authorization", bearer.as_str())];
        let refused = post(&daemon.address, "/v1/chat/completions", &token, &asked).await.expect("an answer");
        assert_eq!((refused.status, refused.header("retry-after")), (429, "3600"));

        // Where somebody else can be asked, ten seconds are long.
        upstream.next(Play::status(429).retry_after("10"));
        client.ok("mcp.llm.chat", asks(&json!({ "model": "helped" }))).await;
        assert_eq!((upstream.count(), other.count()), (4, 1));
    });
}

#[test]
fn what_may_pass_is_asked_again_and_what_is_wrong_is_not() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 1"), Setup::default()).await;
        let client = daemon.client().await;
        let passing =
            [408, 429, 500, 502, 503, 504, 529].map(|status| (status.to_string(), Play::status(status)));
        let passing = passing.into_iter().chain([
            ("a close".to_owned(), Play::hang_up()),
            ("a stall".to_owned(), Play::stall()),
            ("half an answer".to_owned(), Play::pieces(5).closes_after(2)),
        ]);
        for (what, play) in passing {
            let before = upstream.count();
            upstream.next(play);
            client.ok("mcp.llm.chat", asks(&json!({}))).await;
            assert_eq!(upstream.count(), before + 2, "{what}");
        }
        for status in [400, 401, 402, 403, 404, 413, 422] {
            let before = upstream.count();
            upstream.next(Play::status(status));
            let end = client.call("mcp.llm.chat", asks(&json!({}))).await;
            assert_eq!(end.expect_err("it is refused")["data"]["status"], status);
            assert_eq!(upstream.count(), before + 1, "{status}");
        }
    });
}

#[test]
fn nobody_is_asked_again_once_a_part_was_delivered() {
    run(async {
        let (upstream, other) = (Upstream::start().await, Upstream::start().await);
        let models = [
            model("small", &upstream.v1(), ", retries: 3, fallbacks: [other], default: true"),
            model("other", &other.v1(), ""),
        ];
        let daemon = daemon(&models.concat(), Setup::default()).await;
        let client = daemon.client().await;
        let stream = async || stream(&client, json!({ "stream": true })).await;
        for (kinds, play) in [
            ("closed", Play::pieces(5).closes_after(1)),
            ("failed", Play::pieces(5).errs_after(1)),
            ("broken", Play::pieces(5).breaks_json_after(1)),
            ("timeout", Play::pieces(5).stalls_after(1)),
        ] {
            let before = upstream.count();
            upstream.next(play);
            let (chunks, end) = stream().await;
            assert_eq!((text(&chunks).as_str(), kind(&end).as_str()), ("w0 ", kinds));
            assert_eq!((upstream.count(), other.count()), (before + 1, 0), "{kinds}");
            stream().await.1.expect("it is well again");
        }
    });
}
