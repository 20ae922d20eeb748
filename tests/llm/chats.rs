//! Chats that go well.

use harness::upstream::Wire;
use harness::{Play, Setup, Upstream, run, until};
use serde_json::json;

use crate::{KEY, asks, daemon, model, stream, text};

#[test]
fn a_chat_is_answered_whole_in_parts_and_as_a_tool() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.require_key(KEY);
        let daemon = daemon(&model("small", &upstream.v1(), ""), Setup::default()).await;
        let client = daemon.client().await;
        let whole = client.ok("mcp.llm.chat", asks(&json!({ "temperature": 0 }))).await;
        assert_eq!(whole["object"], "chat.completion", "{whole}");
        assert_eq!(whole["choices"][0]["message"]["content"], "Hello from the upstream.");
        let sent = upstream.last().json();
        assert_eq!((&sent["model"], &sent["temperature"]), (&json!("small"), &json!(0)));

        let (chunks, end) = stream(&client, json!({ "stream": true })).await;
        assert_eq!(text(&chunks), "Hello from the upstream.");
        let end = end.expect("it ends well");
        assert_eq!((&end["type"], &end["model"]), (&json!("llm_stream_end"), &json!("small")));
        assert_eq!(end["usage"]["total_tokens"], 15);

        // By position, as the original: results of one id, the last of which ends the stream.
        let params = json!([[{ "role": "user", "content": "Say hello." }], { "stream": true }]);
        let (id, first) = client.begin("mcp.llm.chat", params).await;
        let mut parts = vec![first.await.expect("a part")];
        while parts.last().is_some_and(|part| part["type"] == "llm_chunk") {
            let message = client.stray().await.expect("the stream goes on");
            assert_eq!(message["id"], id, "{message}");
            parts.push(message["result"].clone());
        }
        assert_eq!(parts.pop(), Some(json!({ "type": "llm_stream_end" })));
        let chunks: Vec<_> = parts.into_iter().map(|part| part["content"].clone()).collect();
        assert_eq!(text(&chunks), "Hello from the upstream.");

        upstream.next(Play::tool("get_weather", json!({ "city": "Paris" })));
        let (chunks, _) = stream(&client, json!({ "stream": true })).await;
        let name = chunks.iter().find_map(|chunk| {
            chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["name"].as_str().map(str::to_owned)
        });
        assert_eq!(name.as_deref(), Some("get_weather"));
    });
}

#[test]
fn every_provider_is_spoken_with_in_its_own_words() {
    run(async {
        let upstream = Upstream::start().await;
        let (v1, url) = (upstream.v1(), upstream.url());
        let of = |alias: &str, url: &str| {
            format!(
                "  {alias}: {{provider: {alias}, model: m, base_url: \"{url}\", api_key: \"${{TEST_KEY}}\"}}\n"
            )
        };
        let models =
            [of("anthropic", &v1), of("gemini", &format!("{url}/v1beta")), of("ollama", &url)].concat();
        let daemon = daemon(&models, Setup::default()).await;
        let client = daemon.client().await;
        for alias in ["anthropic", "gemini", "ollama"] {
            let whole = client.ok("mcp.llm.chat", asks(&json!({ "model": alias }))).await;
            assert_eq!(
                whole["choices"][0]["message"]["content"], "Hello from the upstream.",
                "{alias}: {whole}"
            );
            assert_eq!(whole["usage"]["total_tokens"], 15, "{alias}: {whole}");
            let (chunks, end) = stream(&client, json!({ "model": alias, "stream": true })).await;
            assert_eq!(text(&chunks), "Hello from the upstream.", "{alias}: {chunks:?}");
            assert_eq!(end.expect("it ends well")["usage"]["total_tokens"], 15, "{alias}");
        }
    });
}

#[test]
fn a_stream_means_the_same_however_it_is_put_on_the_wire() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ""), Setup::default()).await;
        let client = daemon.client().await;
        for wire in [Wire::Crlf, Wire::Split, Wire::Bytewise, Wire::AtOnce, Wire::Pings, Wire::ManyLines] {
            upstream.next(Play::text("Gr\u{fc}\u{df}e \u{1f980} to all").wire(wire));
            let (chunks, end) = stream(&client, json!({ "stream": true })).await;
            assert_eq!(text(&chunks), "Gr\u{fc}\u{df}e \u{1f980} to all", "{wire:?}");
            assert!(end.is_ok(), "{wire:?}: {end:?}");
        }
    });
}

#[test]
fn a_call_that_is_taken_back_or_left_stops_the_upstream() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::default().endless().slowly(std::time::Duration::from_millis(5)));
        let daemon = daemon(&model("small", &upstream.v1(), ""), Setup::default()).await;
        let client = daemon.client().await;
        let (id, answer) = client.begin("mcp.llm.chat", asks(&json!({ "stream": true }))).await;
        client.stray().await.expect("it has begun");
        client.ok("mcp.cancel", json!({ "id": id })).await;
        assert_eq!(answer.await.expect_err("it was taken back")["code"], -32063);
        upstream.hangs_up(1).await;

        let leaves = daemon.client().await;
        let _ = leaves.begin("mcp.llm.chat", asks(&json!({ "stream": true }))).await;
        leaves.stray().await.expect("it has begun");
        drop(leaves);
        upstream.hangs_up(2).await;
        // What they had used is counted all the same.
        until("both are settled", async || {
            let used = daemon.client().await.ok("mcp.llm.usage", json!({})).await;
            used["usage"][0]["calls"] == 2 && used["usage"][0]["estimated_tokens"].as_u64() > Some(10)
        })
        .await;
    });
}

#[test]
fn models_are_read_again_when_their_file_changes() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("one", &upstream.v1(), ""), Setup::default()).await;
        let client = daemon.client().await;
        let aliases = async || {
            let listed = client.ok("mcp.llm.models", json!({})).await;
            let models = listed["models"].as_array().expect("a list").clone();
            models.iter().map(|model| model["alias"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(aliases().await, ["one"]);
        let write = |text: String| std::fs::write(daemon.dir().join("models.yaml"), text).expect("an edit");
        write(format!("models:\n{}", model("two", &upstream.v1(), "")));
        until("the edit counts", async || aliases().await == ["two"]).await;
        write("models:\n  three: {provider: nobody}\n".to_owned());
        daemon.logged("models.three.provider").await;
        assert_eq!(aliases().await, ["two"], "a bad edit changes nothing");
    });
}
