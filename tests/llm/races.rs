//! Limits that hold in races and over restarts, with exact sums.

use futures_util::future::join_all;
use harness::{Client, Daemon, Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::limits::{setup, tokens};
use crate::{asks, daemon, model};

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

/// What is reserved of calls that are over; none is.
fn reserved(daemon: &Daemon) -> i64 {
    daemon.query(|db| db.query_row("SELECT count(*) FROM llm_reserved", [], |row| row.get(0)))
}

/// So many chats at once, every second one streamed; how many were served.
async fn race(client: &Client, calls: usize) -> u64 {
    let options = |n| json!({ "max_tokens": 20, "stream": n % 2 == 0 });
    let answers =
        join_all((0..calls).map(async |n| client.call("mcp.llm.chat", asks(&options(n))).await)).await;
    let mut served = 0;
    for answer in answers {
        match answer {
            Ok(_) => served += 1,
            Err(refused) => {
                assert_eq!(refused["code"], -32003, "{refused}");
                assert_eq!(refused["data"]["which"], "instance_tokens_per_day", "{refused}");
            }
        }
    }
    served
}

#[test]
fn all_callers_together_never_pass_the_instances_tokens() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::pieces(20).usage(10, 20));
        let models = model("small", &upstream.v1(), ", concurrency: 300");
        let all = setup("");
        let settings = format!("{}llm: {{tokens_per_day: 900}}\n", all.settings);
        let limited = daemon(&models, Setup { settings, ..all }).await;
        let mut names = Vec::new();
        for name in ["ann", "bob", "cat", "dan"] {
            names.push((name, limited.token_for(name, &[]).await));
        }
        let url = limited.url();
        let clients =
            join_all(names.iter().map(async |(_, token)| Client::ws(&url, Some(token)).await)).await;
        let clients: Vec<_> = clients.into_iter().map(|client| client.expect("it gets in")).collect();
        let served = join_all(clients.iter().map(async |client| race(client, 50).await)).await;
        let sum: u64 = served.iter().sum();
        assert!(sum > 0 && sum < 200, "{served:?}");
        assert_eq!((upstream.count() as u64, upstream.told().total()), (sum, sum * 30), "{served:?}");
        assert!(sum * 30 <= 900, "{served:?}");
        let is_so = async |daemon: &Daemon| {
            for ((name, token), served) in names.iter().zip(&served) {
                let client = Client::ws(&daemon.url(), Some(token)).await.expect("it gets in");
                let used = client.ok("mcp.llm.usage", json!({})).await;
                assert_eq!(used["today"]["tokens"], served * 30, "{name}: {used}");
                assert_eq!(used["instance"]["tokens"], sum * 30, "{name}: {used}");
                assert_eq!(used["instance"]["tokens_limit"], 900, "{name}: {used}");
            }
            assert_eq!(reserved(daemon), 0, "all are settled");
        };
        is_so(&limited).await;
        let limited = limited.stop_and_restart().await;
        is_so(&limited).await;
        let limited = limited.crash_and_restart().await;
        is_so(&limited).await;
    });
}

#[test]
fn two_hundred_streams_at_once_never_pass_the_days_tokens() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::pieces(20).usage(10, 20));
        let models = model("small", &upstream.v1(), ", concurrency: 300");
        let limited = daemon(&models, setup("  max_llm_tokens_per_day: 900\n")).await;
        let client = limited.client().await;
        let options = json!({ "max_tokens": 20, "stream": true });
        let calls = (0..200).map(async |_| client.call("mcp.llm.chat", asks(&options)).await);
        let answers = join_all(calls).await;
        let ends: Vec<&Value> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert!(!ends.is_empty() && ends.len() < 200, "{}", ends.len());
        assert!(ends.iter().all(|end| end["usage"]["total_tokens"] == 30), "{ends:?}");
        let sum = ends.len() as u64 * 30;
        assert_eq!(upstream.told().total(), sum);
        assert!(sum <= 900);
        assert_eq!((tokens(&limited).await, reserved(&limited)), (json!(sum), 0));
    });
}

#[test]
fn a_daemon_that_ends_in_the_middle_of_a_stream_has_counted_it() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().endless().slowly(std::time::Duration::from_millis(5)));
        let limited =
            daemon(&model("small", &upstream.v1(), ""), setup("  max_llm_tokens_per_day: 900\n")).await;
        let begin = async |daemon: &Daemon, max: u64| {
            let client = daemon.client().await;
            let _ = client.begin("mcp.llm.chat", asks(&json!({ "stream": true, "max_tokens": max }))).await;
            client.stray().await.expect("it has begun");
            client
        };
        let _client = begin(&limited, 500).await;
        let reserved = tokens(&limited).await;
        assert!(reserved.as_u64() >= Some(500), "{reserved}");
        let limited = limited.crash_and_restart().await;
        assert_eq!(tokens(&limited).await, reserved, "it may have been used, so it stays reserved");
        let client = limited.client().await;
        let error = client.call("mcp.llm.chat", asks(&json!({ "max_tokens": 500 }))).await;
        assert_eq!(error.expect_err("it may have been used")["code"], -32003);

        // Who ends in good order has settled what had come.
        let _client = begin(&limited, 100).await;
        let limited = limited.stop_and_restart().await;
        let kept = tokens(&limited).await.as_u64();
        assert!(kept > reserved.as_u64().map(|all| all + 10), "{kept:?} {reserved}");
    });
}
