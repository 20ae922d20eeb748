//! Embeddings and counts by their native methods.

use harness::{Client, Play, Setup, Upstream, run};
use serde_json::{Map, Value, json};

use crate::limits::{setup, tokens};
use crate::{daemon, kind, model};

/// What `mcp.llm.embed` takes.
fn of(input: Value, options: Value) -> Value {
    Value::Object(Map::from_iter([("input".to_owned(), input), ("options".to_owned(), options)]))
}

async fn vectors(client: &Client, input: Value, options: Value) -> Vec<Value> {
    let answer = client.ok("mcp.llm.embed", of(input, options)).await;
    assert_eq!(answer["object"], "list", "{answer}");
    let data = answer["data"].as_array().expect("a list");
    assert!(data.iter().enumerate().all(|(at, entry)| entry["index"] == at), "{answer}");
    data.iter().map(|entry| entry["embedding"].clone()).collect()
}

#[test]
fn every_provider_that_has_embeddings_gives_them_in_the_order_of_the_texts() {
    run(async {
        let upstream = Upstream::start().await;
        let (v1, url) = (upstream.v1(), upstream.url());
        let of = |alias: &str, url: &str| {
            format!("  {alias}: {{provider: {alias}, model: m, base_url: \"{url}\", kind: embedding}}\n")
        };
        let models = [
            of("openai_compatible", &v1),
            of("gemini", &format!("{url}/v1beta")),
            of("ollama", &url),
            of("anthropic", &v1),
        ];
        let daemon = daemon(&models.concat(), Setup::default()).await;
        let client = daemon.client().await;
        for alias in ["openai_compatible", "gemini", "ollama"] {
            let options = json!({ "model": alias });
            let many = vectors(&client, json!(["one", "two", "three"]), options.clone()).await;
            assert_eq!(many.len(), 3, "{alias}");
            for (text, vector) in ["one", "two", "three"].iter().zip(&many) {
                let alone = vectors(&client, json!(text), options.clone()).await;
                assert_eq!(alone, std::slice::from_ref(vector), "{alias}");
                assert_eq!(vector.as_array().map(Vec::len), Some(8), "{alias}");
            }
            let options = json!({ "model": alias, "encoding_format": "base64" });
            let encoded = vectors(&client, json!("one"), options).await;
            let bytes = encoded[0].as_str().map(str::len);
            assert_eq!(bytes, Some((8 * 4_usize).div_ceil(3) * 4), "{alias}: {encoded:?}");
        }
        let answer =
            client.call("mcp.llm.embed", json!({ "input": "x", "options": { "model": "anthropic" } }));
        assert_eq!(answer.await.expect_err("it has none")["code"], -32602);
    });
}

#[test]
fn what_is_said_about_them_reaches_the_provider_and_nothing_else_does() {
    run(async {
        let upstream = Upstream::start().await;
        let models = [
            model("vectors", &upstream.v1(), ", kind: embedding, default: true, retries: 0"),
            model("chats", &upstream.v1(), ""),
        ];
        let daemon = daemon(&models.concat(), Setup::default()).await;
        let client = daemon.client().await;
        let short = vectors(&client, json!("one"), json!({ "dimensions": 3 })).await;
        assert_eq!((short.len(), short[0].as_array().map(Vec::len)), (1, Some(3)));
        assert_eq!(upstream.last().json()["dimensions"], 3);
        for input in [json!([1, 2, 3]), json!([[1, 2], [3]])] {
            client.ok("mcp.llm.embed", of(input.clone(), json!({}))).await;
            assert_eq!(upstream.last().json()["input"], input);
        }
        let before = upstream.count();
        for (params, code) in [
            (of(json!("x"), json!({ "model": "chats" })), -32051),
            (of(json!("x"), json!({ "model": "none" })), -32051),
            (of(json!("x"), json!({ "model": 1 })), -32602),
            (of(json!("x"), json!({ "dimensions": 0 })), -32602),
            (of(json!("x"), json!({ "encoding_format": "hex" })), -32602),
            (of(json!("x"), json!({ "top_k": 1 })), -32602),
            (of(json!(""), json!({})), -32602),
            (of(json!([]), json!({})), -32602),
            (of(json!(["x", 1]), json!({})), -32602),
            (of(json!({}), json!({})), -32602),
            (json!({ "options": {} }), -32602),
        ] {
            assert_eq!(client.code("mcp.llm.embed", params).await, code);
        }
        assert_eq!(upstream.count(), before, "what is wrong is not asked");
    });
}

#[test]
fn they_count_and_have_limits_as_chats_have() {
    run(async {
        let upstream = Upstream::start().await;
        let models = model("small", &upstream.v1(), ", kind: embedding, default: true, retries: 0");
        let daemon = daemon(&models, setup("  max_llm_tokens_per_day: 100\n")).await;
        let client = daemon.client().await;
        upstream.next(Play::default().usage(33, 0));
        let answer = client.ok("mcp.llm.embed", of(json!(["one", "two"]), json!({}))).await;
        assert_eq!((&answer["usage"]["total_tokens"], tokens(&daemon).await), (&json!(33), json!(33)));

        // Where the provider does not count, we do, and say so.
        upstream.next(Play::default().without_usage());
        let answer = client.ok("mcp.llm.embed", of(json!("hello world"), json!({}))).await;
        assert_eq!((&answer["usage"]["total_tokens"], tokens(&daemon).await), (&json!(2), json!(35)));
        let used = client.ok("mcp.llm.usage", json!({})).await;
        assert_eq!(
            (&used["usage"][0]["calls"], &used["usage"][0]["estimated_tokens"]),
            (&json!(2), &json!(2)),
            "{used}"
        );

        let error = client.call("mcp.llm.embed", of(json!("word ".repeat(70)), json!({}))).await;
        let error = error.expect_err("it is too much");
        assert_eq!((&error["code"], &error["data"]["which"]), (&json!(-32003), &json!("tokens_per_day")));
        for (play, kinds) in [
            (Play::status(503), "overloaded"),
            (Play::default().closes_after(1), "closed"),
            (Play::default().stalls_after(1), "timeout"),
            (Play::default().breaks_json_after(1), "broken"),
            (Play::default().errs_after(1), "failed"),
        ] {
            upstream.next(play);
            assert_eq!(kind(&client.call("mcp.llm.embed", of(json!("x"), json!({}))).await), kinds);
            assert_eq!(client.stray_now().await, None, "{kinds}");
            upstream.next(Play::default().usage(0, 0));
            client.ok("mcp.llm.embed", of(json!("x"), json!({}))).await;
        }
        assert_eq!(tokens(&daemon).await, 35, "what failed cost nothing");
    });
}

#[test]
fn tokens_are_counted_of_texts_and_of_conversations() {
    run(async {
        let daemon = daemon("", Setup::default()).await;
        let client = daemon.client().await;
        let count = async |params: Value| {
            client.ok("mcp.llm.countTokens", params).await["tokens"].as_u64().expect("a number")
        };
        // OpenAI's own count of o200k.
        assert_eq!(count(json!({ "text": "hello world" })).await, 2);
        assert_eq!(count(json!({ "text": "" })).await, 0);
        let long = count(json!({ "text": "hello world ".repeat(10_000) })).await;
        assert!((19_000..=21_000).contains(&long), "{long}");
        let asked = json!([{ "role": "user", "content": "hello world" }]);
        let chat = count(json!({ "messages": asked })).await;
        assert!(chat > 2 && chat < 12, "{chat}");
        let tool = json!({ "type": "function", "function": { "name": "get_weather", "parameters": {} } });
        let with_tool = count(json!({ "messages": asked, "tools": [tool] })).await;
        assert!(with_tool > chat + 5, "{with_tool}");
        for wrong in [
            json!({}),
            json!({ "text": "x", "messages": asked }),
            json!({ "text": "x", "tools": [tool] }),
            json!({ "tools": [tool] }),
            json!({ "text": 1 }),
        ] {
            assert_eq!(client.code("mcp.llm.countTokens", wrong).await, -32602);
        }
    });
}
