//! How a stream ends that goes wrong: with one error, which is the end, and nothing behind it.

use harness::posted::post;
use harness::{Client, Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{asks, daemon, model};

/// What goes wrong behind two parts, and of which kind that is.
fn troubles() -> [(&'static str, Play); 4] {
    [
        ("closed", Play::pieces(5).closes_after(2)),
        ("failed", Play::pieces(5).errs_after(2)),
        ("broken", Play::pieces(5).breaks_json_after(2)),
        ("timeout", Play::pieces(5).stalls_after(2)),
    ]
}

/// Whether the very next message is the answer to what is asked now.
async fn says_no_more(client: &Client, after: &str) {
    // An id of text is nobody's who waits, so its answer comes among the strays.
    client
        .send(json!({ "jsonrpc": "2.0", "id": "next", "method": "mcp.hello", "params": {} }).to_string())
        .await;
    let next = client.stray().await.expect("the connection goes on");
    assert_eq!(next["id"], "next", "after {after}: {next}");
}

/// All messages of the stream: parts and the end.
async fn by_position(client: &Client) -> Vec<Value> {
    let params = json!([[{ "role": "user", "content": "Say hello." }], { "stream": true }]);
    let (id, first) = client.begin("mcp.llm.chat", params).await;
    let mut said = match first.await {
        Ok(part) => vec![json!({ "id": id, "result": part })],
        Err(error) => return vec![json!({ "id": id, "error": error })],
    };
    while said.last().is_some_and(|message| message["result"]["type"] == "llm_chunk") {
        let message = client.stray().await.expect("the stream goes on");
        assert_eq!(message["id"], id, "{message}");
        said.push(message);
    }
    said
}

#[test]
fn by_position_the_error_is_the_last_of_its_id() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let client = daemon.client().await;
        let whole = by_position(&client).await;
        assert_eq!(whole.last().map(|end| &end["result"]), Some(&json!({ "type": "llm_stream_end" })));
        says_no_more(&client, "a good end").await;
        for (kind, play) in troubles() {
            upstream.next(play);
            let mut said = by_position(&client).await;
            let end = said.pop().expect("an end");
            assert_eq!(end["error"]["code"], -32050, "{end}");
            assert_eq!(end["error"]["data"]["kind"], kind, "{end}");
            let chunks: Vec<_> = said.iter().map(|part| part["result"]["content"].clone()).collect();
            assert_eq!(crate::text(&chunks), "w0 w1 ", "{kind}");
            says_no_more(&client, kind).await;
            // An answer in between keeps the breaker closed.
            by_position(&client).await;
        }
        upstream.next(Play::status(400));
        let refused = by_position(&client).await;
        assert_eq!((refused.len(), &refused[0]["error"]["code"]), (1, &json!(-32050)), "{refused:?}");
        says_no_more(&client, "a refusal").await;
    });
}

#[test]
fn by_name_the_error_is_the_only_answer() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let client = daemon.client().await;
        for (kind, play) in troubles() {
            upstream.next(play);
            let (chunks, end) = crate::stream(&client, json!({ "stream": true })).await;
            assert_eq!(crate::kind(&end), kind);
            assert_eq!(crate::text(&chunks), "w0 w1 ", "{kind}");
            says_no_more(&client, kind).await;
            client.ok("mcp.llm.chat", asks(&json!({}))).await;
        }
    });
}

#[test]
fn in_openais_dialect_the_error_is_one_event_before_the_end() {
    run(async {
        let upstream = Upstream::start().await;
        let daemon = daemon(&model("small", &upstream.v1(), ", retries: 0"), Setup::default()).await;
        let bearer = format!("Bearer {}", daemon.token());
        let token = [("authorization", bearer.as_str())];
        let asked =
            json!({ "model": "small", "messages": [{ "role": "user", "content": "Hi" }], "stream": true });
        let events = async || {
            let mut answer =
                post(&daemon.address, "/v1/chat/completions", &token, &asked).await.expect("an answer");
            let (bytes, whole) = answer.rest().await;
            let text = String::from_utf8(bytes).expect("UTF-8");
            assert!(whole && text.ends_with("\n\n"), "the body ends as it should: {text}");
            let events =
                text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").expect("data"));
            events.map(str::to_owned).collect::<Vec<_>>()
        };
        for (kind, play) in troubles() {
            upstream.next(play);
            let mut said = events().await;
            assert_eq!(said.pop().as_deref(), Some("[DONE]"), "{kind}");
            let mut said: Vec<Value> =
                said.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
            let error = said.pop().expect("an error")["error"].clone();
            assert_eq!((&error["code"], &error["type"]), (&json!(kind), &json!("server_error")), "{error}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains("small")), "{error}");
            assert!(said.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"), "{said:?}");
            assert_eq!(crate::text(&said), "w0 w1 ", "{kind}");
            assert_eq!(events().await.last().map(String::as_str), Some("[DONE]"));
        }
    });
}
