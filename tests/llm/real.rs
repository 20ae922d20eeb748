//! A real model's server: llama.cpp, by OpenAI's words and by Anthropic's.

use harness::{Llama, Setup, run};
use serde_json::{Value, json};

use crate::{daemon, stream, text};

fn asks(alias: &str) -> Value {
    let tool = json!({
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tells the weather.",
            "parameters": { "type": "object", "properties": { "city": { "type": "string" } } },
        },
    });
    json!({ "model": alias, "tools": [tool], "max_tokens": 50 })
}

fn models(llama: &Llama) -> String {
    let url = llama.v1();
    format!(
        "  llama: {{provider: llama_cpp, model: m, base_url: \"{url}\"}}\n  \
         claude: {{provider: anthropic, model: m, base_url: \"{url}\"}}\n"
    )
}

#[test]
fn a_real_model_answers_whole_and_in_parts_and_its_own_count_is_settled() {
    harness::Tools::get();
    run(async {
        let llama = Llama::text().await;
        let daemon = daemon(&models(&llama), Setup::default()).await;
        let client = daemon.client().await;
        let mut tokens = 0;
        for alias in ["llama", "claude"] {
            let params = json!({ "messages": [{ "role": "user", "content": "Hi" }], "options": asks(alias) });
            let whole = client.ok("mcp.llm.chat", params).await;
            let choice = &whole["choices"][0];
            assert_eq!(choice["message"]["content"], "Hello from a real llama.", "{alias}: {whole}");
            assert_eq!(choice["finish_reason"], "stop", "{alias}: {whole}");
            tokens += whole["usage"]["total_tokens"].as_u64().expect("it counts");

            let mut options = asks(alias);
            options["stream"] = json!(true);
            let (chunks, end) = stream(&client, options).await;
            assert_eq!(text(&chunks), "Hello from a real llama.", "{alias}: {chunks:?}");
            assert!(chunks.len() > 3, "{alias}: it comes in parts");
            tokens += end.expect("it ends well")["usage"]["total_tokens"].as_u64().expect("it counts");
        }
        let used = client.ok("mcp.llm.usage", json!({})).await;
        assert_eq!(used["today"]["tokens"], tokens, "{used}");
        assert!(
            used["usage"].as_array().is_some_and(|rows| rows.iter().all(|row| row["estimated_tokens"] == 0))
        );
    });
}

#[test]
fn a_real_model_calls_a_tool_whole_and_in_parts() {
    harness::Tools::get();
    run(async {
        let llama = Llama::tools().await;
        let daemon = daemon(&models(&llama), Setup::default()).await;
        let client = daemon.client().await;
        for alias in ["llama", "claude"] {
            let params = json!({ "messages": [{ "role": "user", "content": "Hi" }], "options": asks(alias) });
            let whole = client.ok("mcp.llm.chat", params).await;
            let choice = &whole["choices"][0];
            assert_eq!(choice["finish_reason"], "tool_calls", "{alias}: {whole}");
            let call = &choice["message"]["tool_calls"][0]["function"];
            assert_eq!(call["name"], "get_weather", "{alias}: {whole}");
            let arguments: Value =
                serde_json::from_str(call["arguments"].as_str().expect("text")).expect("JSON");
            assert_eq!(arguments, json!({ "city": "Paris" }), "{alias}");

            let mut options = asks(alias);
            options["stream"] = json!(true);
            let (chunks, end) = stream(&client, options).await;
            assert!(end.is_ok(), "{alias}: {end:?}");
            let calls =
                chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0].as_object());
            let functions: Vec<_> = calls.map(|call| call["function"].clone()).collect();
            let of = |part: &str| functions.iter().filter_map(|f| f[part].as_str()).collect::<String>();
            assert_eq!(of("name"), "get_weather", "{alias}: {chunks:?}");
            let arguments: Value = serde_json::from_str(&of("arguments")).expect("JSON");
            assert_eq!(arguments, json!({ "city": "Paris" }), "{alias}");
        }
    });
}
