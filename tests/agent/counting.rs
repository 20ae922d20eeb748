//! A server that counts what it is asked, and answers chats as a model does that calls one tool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What a server was asked: `POST /hook`, and by which keys.
pub(crate) type Asked = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Starts one; HOST:PORT.
#[expect(clippy::disallowed_methods, reason = "what a test spawns ends with its runtime, which is its own")]
pub(crate) async fn counting() -> (String, Asked) {
    let asked = Asked::default();
    let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("localhost:{}", door.local_addr().expect("an address").port());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
    tokio::task::spawn(async move {
        let _ = axum::serve(door, router).await;
    });
    (address, asked)
}

/// How often it was asked this.
pub(crate) fn times(asked: &Asked, what: &str) -> usize {
    asked.lock().expect("nobody panicked with it").get(what).map_or(0, Vec::len)
}

async fn answer(State(asked): State<Asked>, request: Request) -> Response {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    let what = format!("{} {}", request.method(), request.uri().path());
    let key = key.unwrap_or_default().to_owned();
    asked.lock().expect("nobody panicked with it").entry(what).or_default().push(key);
    match request.uri().path() {
        "/away" => Redirect::temporary("http://127.0.0.1:1/").into_response(),
        "/broken" => (StatusCode::BAD_GATEWAY, "not now").into_response(),
        "/v1/chat/completions" => match to_bytes(request.into_body(), 1 << 20).await {
            Ok(body) => Json(completion(&body)).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        },
        path => {
            if path.starts_with("/hook/") || path.starts_with("/state/") {
                // It was done, and nobody has been told: long enough for kills to fall into it.
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            Json(json!({ "path": path, "says": "{{ secrets.key }}" })).into_response()
        }
    }
}

/// Who was given tools appends a line to the file that the prompt names, once; nothing is remembered between requests.
fn completion(body: &Bytes) -> Value {
    let body: Value = serde_json::from_slice(body).expect("a chat is JSON");
    let messages = body["messages"].as_array().expect("a chat has messages");
    let worked = messages.iter().any(|message| message["role"] == "tool");
    let (message, finish) = if body["tools"].is_array() && !worked {
        let prompt = messages.iter().find(|message| message["role"] == "user").expect("somebody asks");
        let arguments = json!({ "path": prompt["content"], "content": "g1\n" }).to_string();
        let function = json!({ "name": "fs_append", "arguments": arguments });
        let call = json!({ "id": "call_1", "type": "function", "function": function });
        (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
    } else {
        (json!({ "role": "assistant", "content": "done" }), "stop")
    };
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": body["model"],
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    })
}
