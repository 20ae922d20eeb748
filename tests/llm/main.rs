//! The LLM proxy as its callers see it: on the native dialect and on OpenAI's, in front of upstreams that misbehave.

mod again;
mod chats;
mod embeddings;
mod ends;
mod keys;
mod limits;
mod local;
mod openai;
mod providers;
mod races;
mod real;
mod tls;
mod tool;
mod troubles;

use harness::{Client, Daemon, Setup};
use serde_json::{Value, json};

/// The key of the upstreams; it may appear nowhere but at them.
const KEY: &str = "sk-test-4d1f2a3b4c5d6e7f8091a2b3";

/// A daemon with these models.
async fn daemon(models: &str, setup: Setup) -> Daemon {
    let environment = [setup.environment.clone(), vec![("TEST_KEY", KEY.to_owned())]].concat();
    Setup { environment, models: Some(format!("models:\n{models}")), ..setup }.start().await
}

/// One model of an upstream that speaks as OpenAI does, with impatient time limits, and `more`.
fn model(alias: &str, url: &str, more: &str) -> String {
    format!(
        "  {alias}: {{provider: openai_compatible, model: small, base_url: \"{url}\", api_key: \"${{TEST_KEY}}\", \
         timeouts: {{first_token_seconds: 1, idle_seconds: 1}}{more}}}\n"
    )
}

fn asks(options: &Value) -> Value {
    json!({ "messages": [{ "role": "user", "content": "Say hello." }], "options": options })
}

/// The chunks of a streamed chat by name, and how it ended.
async fn stream(client: &Client, options: Value) -> (Vec<Value>, harness::Answer) {
    let (id, answer) = client.begin("mcp.llm.chat", asks(&options)).await;
    let answer = answer.await;
    let mut chunks = Vec::new();
    // News come before the answer on one connection, so none is still on its way.
    while let Some(message) = client.stray_now().await {
        assert_eq!(message["method"], "mcp.progress", "{message}");
        assert_eq!(message["params"]["id"], id, "{message}");
        assert_eq!(message["params"]["value"]["type"], "llm_chunk", "{message}");
        chunks.push(message["params"]["value"]["content"].clone());
    }
    (chunks, answer)
}

/// The text of chunks.
fn text(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

fn kind(answer: &harness::Answer) -> String {
    let error = answer.as_ref().expect_err("it fails");
    assert_eq!(error["code"], -32050, "{error}");
    error["data"]["kind"].as_str().expect("it says which").to_owned()
}
