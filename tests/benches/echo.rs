//! The reference of the bench: a bare axum server, of `WebSocket` and of POST, that parses JSON-RPC and answers with a
//! constant.
//!
//! It is what the daemon would cost if it did nothing, so it is tuned as well as the daemon: the same number of
//! workers, a small read buffer, no delay, and one flush for all requests that are ready. It uses none of the
//! project's own crates: what makes them slower or faster must not move the line that they are measured against.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use clap::Parser;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

/// As small as the daemon's; the default of 128 KiB is zeroed before every read.
const READ_BUFFER: usize = 4096;

/// As large as the daemon's.
const WRITE_BUFFER: usize = 64 * 1024;

/// Answers every JSON-RPC request on ws://127.0.0.1:PORT/ws, or by POST to /mcp, with a constant of the size given for
/// it.
#[derive(Parser)]
struct Options {
    /// A method, its params, and how many bytes of JSON the result has.
    #[arg(long = "answer", num_args = 3, value_names = ["METHOD", "PARAMS", "BYTES"])]
    answers: Vec<String>,
}

/// The envelope of a request. Params stay raw, as they do in the daemon's transport.
#[derive(Deserialize)]
struct Request<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: &'a RawValue,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// The constants. So few that looking through them costs less than hashing.
type Answers = Arc<[Answer]>;

struct Answer {
    method: String,
    params: String,
    result: String,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let answers: Vec<_> = options.answers.chunks_exact(3).map(Answer::parse).collect::<Result<_, _>>()?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(serve(answers.into()))
}

impl Answer {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let [method, params, bytes] = words else { bail!("METHOD PARAMS BYTES are expected") };
        let bytes: usize = bytes.parse().context("BYTES is a number")?;
        let result = format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)));
        Ok(Self { method: method.clone(), params: params.clone(), result })
    }
}

async fn serve(answers: Answers) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free on 127.0.0.1")?;
    let address = listener.local_addr()?;
    let posted = Arc::clone(&answers);
    let posted = move |body: Bytes| std::future::ready(answer(&body, &posted));
    let upgrade = move |upgrade: WebSocketUpgrade| {
        let answers = Arc::clone(&answers);
        async move {
            upgrade
                .read_buffer_size(READ_BUFFER)
                .write_buffer_size(WRITE_BUFFER)
                .on_upgrade(|socket| converse(socket, answers))
        }
    };
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    eprintln!("bench-echo is ready: ws://{address}/ws");
    let router = Router::new().route("/ws", get(upgrade)).route("/mcp", post(posted));
    axum::serve(listener, router).await?;
    Ok(())
}

/// The response to a POST.
fn answer(body: &[u8], answers: &[Answer]) -> Response {
    let text = std::str::from_utf8(body).ok().and_then(|text| reply(text, answers));
    match text {
        Some(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn converse(mut socket: WebSocket, answers: Answers) {
    while let Some(Ok(message)) = socket.next().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let Some(answer) = message.to_text().ok().and_then(|text| reply(text, &answers)) else { return };
            if socket.feed(Message::Text(answer.into())).await.is_err() {
                return;
            }
            next = socket.next().now_or_never().flatten().and_then(Result::ok);
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// The answer; `None` ends the connection, because the load program sends nothing but what it has announced.
fn reply(message: &str, answers: &[Answer]) -> Option<String> {
    let request: Request<'_> = serde_json::from_str(message).ok()?;
    let params = request.params.map_or("", RawValue::get);
    let known = |answer: &&Answer| answer.method == request.method && answer.params == params;
    let result = &answers.iter().find(known).filter(|_| request.jsonrpc == "2.0")?.result;
    let id = request.id.get();
    let mut text = String::with_capacity(40 + id.len() + result.len());
    for part in ["{\"jsonrpc\":\"2.0\",\"id\":", id, ",\"result\":", result, "}"] {
        text.push_str(part);
    }
    Some(text)
}
