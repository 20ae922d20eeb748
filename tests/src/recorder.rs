//! A proxy between an HTTP client and the daemon that keeps every message of both; and the same for standard streams.
//!
//! It passes bytes on as they come: a stream stays a stream, and a client that hangs up hangs up on the daemon.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request and what was answered to it.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Such as POST.
    pub method: String,
    /// The status of the answer.
    pub status: u16,
    /// The client's body.
    pub request: Vec<u8>,
    /// The answer's body so far.
    pub response: Vec<u8>,
    /// Whether the answer is a stream of events.
    pub events: bool,
}

impl Exchange {
    /// The messages of the client.
    pub fn sent(&self) -> Vec<Value> {
        serde_json::from_slice(&self.request).into_iter().collect()
    }

    /// The messages of the server. An event that is not complete is none yet.
    pub fn received(&self) -> Vec<Value> {
        if !self.events {
            return serde_json::from_slice(&self.response).into_iter().collect();
        }
        let text = String::from_utf8_lossy(&self.response).replace("\r\n", "\n");
        let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        let events = whole.split("\n\n").map(|event| {
            let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
            data.map(|data| data.strip_prefix(' ').unwrap_or(data)).collect::<Vec<_>>().join("\n")
        });
        let messages = events.filter(|data| !data.is_empty());
        messages.map(|data| serde_json::from_str(&data).expect("an event holds a message")).collect()
    }
}

type Exchanges = Arc<Mutex<Vec<Exchange>>>;

/// A proxy; its drop ends it.
pub struct Recorder {
    /// HOST:PORT of the proxy.
    pub address: String,
    exchanges: Exchanges,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Proxy {
    daemon: String,
    exchanges: Exchanges,
}

impl Recorder {
    /// A proxy to the daemon at `daemon`, HOST:PORT.
    pub async fn start(daemon: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let exchanges = Exchanges::default();
        let proxy = Proxy { daemon: daemon.to_owned(), exchanges: Arc::clone(&exchanges) };
        let router = Router::new().fallback(pass).with_state(proxy);
        let server = tokio::task::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, exchanges, server }
    }

    /// Everything so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().expect("nobody panicked with it").clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    match forward(&proxy, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn forward(proxy: &Proxy, request: Request) -> anyhow::Result<Response> {
    let (mut head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await?;
    head.headers.insert(header::HOST, HeaderValue::from_str(&proxy.daemon)?);
    let exchange =
        Exchange { method: head.method.to_string(), request: body.to_vec(), ..Exchange::default() };
    let stream = TcpStream::connect(&proxy.daemon).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn(async move {
        let _ = connection.await;
    });
    let (head, body) = sender.send_request(Request::from_parts(head, Body::from(body))).await?.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let events = kind.starts_with("text/event-stream");
    let exchanges = Arc::clone(&proxy.exchanges);
    let at = {
        let mut exchanges = exchanges.lock().expect("nobody panicked with it");
        exchanges.push(Exchange { status: head.status.as_u16(), events, ..exchange });
        exchanges.len() - 1
    };
    // The sender lives as long as the body: without it the connection would end after the head.
    let recorded = Body::new(body).into_data_stream().map(move |chunk: Result<Bytes, _>| {
        let _alive = &sender;
        if let Ok(chunk) = &chunk {
            exchanges.lock().expect("nobody panicked with it")[at].response.extend_from_slice(chunk);
        }
        chunk
    });
    Ok(Response::from_parts(head, Body::from_stream(recorded)))
}

/// A command in a shell that keeps what goes in and what comes out.
pub struct Tee {
    folder: TempDir,
}

impl Tee {
    /// With nothing kept yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the test") }
    }

    /// The arguments of `sh` that run `program` with `arguments` and keep both directions.
    pub fn arguments(&self, program: &Path, arguments: &[&str]) -> Vec<String> {
        let script = "sent=$1 received=$2; shift 2; tee -a \"$sent\" | \"$@\" | tee -a \"$received\"";
        let plain = |path: &Path| path.to_str().expect("a plain path").to_owned();
        let mut all = vec!["-c".into(), script.into(), "tee".into()];
        all.extend([plain(&self.sent_file()), plain(&self.received_file()), plain(program)]);
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        all
    }

    /// The messages of the client.
    pub fn sent(&self) -> Vec<Value> {
        lines(&self.sent_file())
    }

    /// The messages of the server.
    pub fn received(&self) -> Vec<Value> {
        lines(&self.received_file())
    }

    fn sent_file(&self) -> PathBuf {
        self.folder.path().join("sent")
    }

    fn received_file(&self) -> PathBuf {
        self.folder.path().join("received")
    }
}

impl Default for Tee {
    fn default() -> Self {
        Self::new()
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a client ran");
    text.lines().map(|line| serde_json::from_str(line).expect("a message a line")).collect()
}
