//! A small real daemon: a WebSocket and a UNIX socket, a token, a tree of files in memory, and a few methods that
//! misbehave on purpose. It can go away and come back on the same port.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use protocol::frame::{Frames, Framing};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

pub(crate) const TOKEN: &str = "let-me-in";
/// What the toy reads and lists at most in one answer, so that paging is exercised.
const READ_MAX: usize = 100_000;
const LIST_MAX: usize = 3;

type Outcome = Result<Value, Value>;

/// `None` is a directory.
type Tree = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Default)]
struct State {
    tree: Tree,
    /// Connections made, methods called, ids cancelled, in order.
    log: Vec<String>,
}

pub(crate) struct Toy {
    runtime: Runtime,
    state: Arc<Mutex<State>>,
    serving: Option<(watch::Sender<bool>, JoinSet<()>)>,
    port: u16,
    pub(crate) socket: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Toy {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = Arc::new(Mutex::new(State { tree: sample_tree(), log: Vec::new() }));
        let socket = folder.path().join("gateway.sock");
        let mut toy = Self { runtime, state, serving: None, port: 0, socket, folder };
        toy.come_back();
        toy
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/ws", self.port)
    }

    /// Drops the listener and every connection, as a killed daemon does.
    pub(crate) fn go_away(&mut self) {
        let Some((stop, mut serving)) = self.serving.take() else { return };
        let _ = stop.send(true);
        self.runtime.block_on(async { while serving.join_next().await.is_some() {} });
    }

    pub(crate) fn come_back(&mut self) {
        let (stop, stopped) = watch::channel(false);
        let _context = self.runtime.enter();
        let ws = self.listen();
        let _ = std::fs::remove_file(&self.socket);
        let unix = UnixListener::bind(&self.socket).unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(accept(
            stopped.clone(),
            self.state.clone(),
            async move || ws.accept().await.unwrap().0,
            serve_ws,
        ));
        serving.spawn(accept(
            stopped,
            self.state.clone(),
            async move || unix.accept().await.unwrap().0,
            serve_unix,
        ));
        self.serving = Some((stop, serving));
    }

    /// The same port each time, from below the range in which the system picks ports for others.
    fn listen(&mut self) -> TcpListener {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let bind = |port| self.runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
        while self.port == 0 {
            let start = u16::try_from(std::process::id() % 100).unwrap() * 97;
            let port = 20_000 + start + NEXT.fetch_add(1, Ordering::Relaxed);
            if let Ok(listener) = bind(port) {
                self.port = port;
                return listener;
            }
        }
        loop {
            // A process that another test is about to start may hold the old listener for a moment.
            match bind(self.port) {
                Ok(listener) => return listener,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// Waits until the log is as it should be.
    #[track_caller]
    pub(crate) fn eventually(&self, expected: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !expected(&self.log()) {
            assert!(Instant::now() < deadline, "{:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.state.lock().unwrap().tree.insert(path.into(), Some(bytes.into()));
    }

    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().tree.get(path).cloned().flatten()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.state.lock().unwrap().tree.contains_key(path)
    }
}

fn sample_tree() -> Tree {
    let file = |text: &str| Some(text.as_bytes().to_vec());
    Tree::from([
        ("/".into(), None),
        ("/docs".into(), None),
        ("/docs/deep".into(), None),
        ("/docs/deep/x.txt".into(), file("x\n")),
        ("/docs/my notes.txt".into(), file("buy milk\n")),
        ("/hello.txt".into(), file("hello, world\n")),
        ("/empty.txt".into(), file("")),
        ("/Zebra.txt".into(), file("stripes\n")),
        ("/.hidden".into(), file("h\n")),
        ("/colours.txt".into(), file("\x1b[31mred\x1b[0m\n\x1b]0;owned\x07plain\n")),
        ("/evil\x1b[2Jname".into(), file("e\n")),
        ("/binary.bin".into(), Some((0..=255).collect())),
    ])
}

// === transports ===

/// Serves connections until told to stop, and is done when all of them are gone.
async fn accept<S, F>(
    mut stopped: watch::Receiver<bool>,
    state: Arc<Mutex<State>>,
    next: impl AsyncFn() -> S,
    serve: impl Fn(S, Arc<Mutex<State>>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            stream = next() => { connections.spawn(serve(stream, state.clone())); }
        }
    }
    connections.shutdown().await;
}

#[expect(clippy::result_large_err, reason = "the handshake's callback has this type")]
fn admit(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let authorised = request.headers().get("authorization").is_some_and(|v| v == &format!("Bearer {TOKEN}"));
    if authorised {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("Ask the owner for a token.\x1b[2J\n".into()));
    *refusal.status_mut() = StatusCode::UNAUTHORIZED;
    Err(refusal)
}

async fn serve_ws(stream: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, admit).await else { return };
    state.lock().unwrap().log.push("connection".into());
    let (out, mut answers) = mpsc::channel(64);
    let mut calls = Calls::new(state, out);
    loop {
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(Some(text)) => socket.send(Message::text(text)).await.unwrap_or(()),
                _ => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => calls.start(&text),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn serve_unix(mut stream: UnixStream, state: Arc<Mutex<State>>) {
    let (out, mut answers) = mpsc::channel(64);
    let mut calls = Calls::new(state, out);
    let mut frames = Frames::new(Framing::Nul, 1 << 24);
    let mut buffer = BytesMut::new();
    loop {
        while let Some(Ok(message)) = frames.next(&mut buffer) {
            let message: Bytes = message;
            calls.start(std::str::from_utf8(&message).unwrap());
        }
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(Some(text)) => stream.write_all(format!("{text}\0").as_bytes()).await.unwrap_or(()),
                _ => return,
            },
            read = stream.read_buf(&mut buffer) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

// === calls ===

/// The calls of one connection; `None` sent to `out` hangs up.
struct Calls {
    state: Arc<Mutex<State>>,
    out: mpsc::Sender<Option<String>>,
    tasks: JoinSet<()>,
    running: HashMap<String, AbortHandle>,
}

impl Calls {
    fn new(state: Arc<Mutex<State>>, out: mpsc::Sender<Option<String>>) -> Self {
        Self { state, out, tasks: JoinSet::new(), running: HashMap::new() }
    }

    fn start(&mut self, text: &str) {
        let request: Value = serde_json::from_str(text).unwrap();
        let (id, method) = (request["id"].clone(), request["method"].as_str().unwrap().to_owned());
        self.state.lock().unwrap().log.push(match method.as_str() {
            "mcp.cancel" => format!("cancel {}", request["params"]["id"]),
            method => method.to_owned(),
        });
        if method == "mcp.cancel" {
            if let Some(task) = self.running.remove(&request["params"]["id"].to_string()) {
                task.abort();
            }
            let _ = self.out.try_send(Some(json!({ "jsonrpc": "2.0", "id": id, "result": {} }).to_string()));
            return;
        }
        let (state, out) = (self.state.clone(), self.out.clone());
        let key = id.to_string();
        let task = self.tasks.spawn(async move {
            let answer = match run(&method, &request["params"], &state, &id, &out).await {
                Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
            };
            let _ = out.send(Some(answer.to_string())).await;
        });
        self.running.insert(key, task);
    }
}

async fn run(
    method: &str,
    params: &Value,
    state: &Mutex<State>,
    id: &Value,
    out: &mpsc::Sender<Option<String>>,
) -> Outcome {
    let progress = |value: Value| json!({ "jsonrpc": "2.0", "method": "mcp.progress", "params": { "id": id, "value": value } });
    match method {
        "mcp.hello" if params.is_object() => Ok(
            json!({ "server": "toy", "version": "1.0", "caller": "owner", "tier": "ELITE", "methods": [] }),
        ),
        "mcp.hello" => Ok(json!(["mcp.hello"])),
        "mcp.listCapabilities" => Ok(capabilities()),
        "mcp.licence.check" => Ok(json!({ "tier": "ELITE", "is_valid": true })),
        "mcp.toy.sleep" => {
            tokio::time::sleep(Duration::from_millis(params["ms"].as_u64().unwrap_or(0))).await;
            Ok(json!("slept"))
        }
        "mcp.toy.hang_up" => {
            let _ = out.send(None).await;
            std::future::pending().await
        }
        "mcp.toy.limited" => {
            Err(json!({ "code": -32001, "message": "Too many calls.", "data": { "retry_after_ms": 3210 } }))
        }
        "mcp.toy.count" => {
            for n in 1..=3 {
                let _ = out.send(Some(progress(json!(n)).to_string())).await;
            }
            Ok(json!({ "counted": 3 }))
        }
        "mcp.admin.events" => {
            for n in 1.. {
                let news = progress(json!({ "actor": "fs", "event": format!("tick\x1b[2J{n}") }));
                let _ = out.send(Some(news.to_string())).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(Value::Null)
        }
        _ => files(method, params, &mut state.lock().unwrap().tree),
    }
}

fn files(method: &str, params: &Value, tree: &mut Tree) -> Outcome {
    let fault =
        |message: String| json!({ "code": -32011, "message": message, "data": { "kind": "not_found" } });
    let word = |key: &str| params[key].as_str().unwrap_or_default().to_owned();
    let path = word("path");
    let missing = |path: &str| Err(fault(format!("Path '{path}' does not exist.")));
    match method {
        "mcp.fs.list" => match tree.get(&path) {
            Some(None) => Ok(list(&path, params, tree)),
            Some(Some(_)) => Err(fault(format!("'{path}' is not a directory."))),
            None => missing(&path),
        },
        "mcp.fs.stat" => match tree.get(&path) {
            Some(node) => Ok(entry(&path, node.as_deref())),
            None => missing(&path),
        },
        "mcp.fs.read" => match tree.get(&path) {
            Some(Some(bytes)) => Ok(read(bytes, params)),
            Some(None) => Err(fault(format!("'{path}' is a directory."))),
            None => missing(&path),
        },
        "mcp.fs.write" => {
            let content = word("content");
            let bytes =
                if word("encoding") == "base64" { BASE64.decode(content).unwrap() } else { content.into() };
            let old =
                tree.get(&path).cloned().flatten().filter(|_| params["append"] == true).unwrap_or_default();
            let count = bytes.len();
            tree.insert(path.clone(), Some([old, bytes].concat()));
            Ok(json!({ "path": path, "bytes_written": count, "status": "success" }))
        }
        "mcp.fs.mkdir" => {
            tree.insert(path.clone(), None);
            Ok(json!({ "path": path }))
        }
        "mcp.fs.delete" => {
            let below = format!("{path}/");
            if !tree.contains_key(&path) {
                return missing(&path);
            }
            if tree.keys().any(|key| key.starts_with(&below)) && params["recursive"] != true {
                return Err(fault(format!("Directory '{path}' not empty. Use recursive=true to delete.")));
            }
            tree.retain(|key, _| *key != path && !key.starts_with(&below));
            Ok(json!({ "path": path, "status": "success", "trash_id": "t-1" }))
        }
        "mcp.fs.move" | "mcp.fs.copy" => {
            let Some(node) = tree.get(&word("from")).cloned() else { return missing(&word("from")) };
            tree.insert(word("to"), node);
            if method == "mcp.fs.move" {
                tree.remove(&word("from"));
            }
            Ok(json!({ "from": word("from"), "to": word("to") }))
        }
        "mcp.fs.find" => {
            // One hit a page.
            let mut found = tree.keys().filter(|key| key.contains(&word("pattern")));
            let skipped: usize = params["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            let hit: Vec<_> =
                found.by_ref().skip(skipped).take(1).map(|key| json!({ "path": key })).collect();
            Ok(json!({ "entries": hit, "next_cursor": found.next().map(|_| (skipped + 1).to_string()) }))
        }
        other => Err(json!({ "code": -32601, "message": format!("Method '{other}' not found.") })),
    }
}

fn list(path: &str, params: &Value, tree: &Tree) -> Value {
    let above = format!("{}/", path.trim_end_matches('/'));
    let inside =
        |key: &&String| key.strip_prefix(&above).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'));
    let all: Vec<Value> = tree.keys().filter(inside).map(|key| entry(key, tree[key].as_deref())).collect();
    let start: usize = params["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
    let limit = params["limit"].as_u64().map_or(LIST_MAX, |n| usize::try_from(n).unwrap().min(LIST_MAX));
    let end = (start + limit).min(all.len());
    let next = (end < all.len()).then(|| end.to_string());
    json!({ "path": path, "entries": all[start..end], "next_cursor": next })
}

fn entry(path: &str, node: Option<&[u8]>) -> Value {
    json!({
        "name": path.rsplit('/').next(),
        "path": path,
        "type": if node.is_some() { "file" } else { "directory" },
        "size": node.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap()),
        "modified_at": "2025-05-22T10:11:12+00:00",
    })
}

fn read(bytes: &[u8], params: &Value) -> Value {
    let offset = usize::try_from(params["offset"].as_u64().unwrap_or(0)).unwrap().min(bytes.len());
    let limit = params["limit"].as_u64().map_or(READ_MAX, |n| usize::try_from(n).unwrap().min(READ_MAX));
    let end = (offset + limit).min(bytes.len());
    let piece = &bytes[offset..end];
    let base64 = params["encoding"] == "base64";
    json!({
        "content": if base64 { BASE64.encode(piece) } else { String::from_utf8_lossy(piece).into_owned() },
        "encoding": if base64 { "base64" } else { "text" },
        "mime_type": "application/octet-stream",
        "size": bytes.len(),
        "next_offset": (end < bytes.len()).then_some(end),
    })
}

fn capabilities() -> Value {
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let path = json!({ "type": "string", "description": "Absolute path." });
    let fs = [
        (
            "list",
            object(
                json!({ "path": path, "limit": { "type": "integer" }, "cursor": { "type": "string" } }),
                json!([]),
            ),
        ),
        ("stat", object(json!({ "path": path }), json!(["path"]))),
        (
            "read",
            object(
                json!({ "path": path, "encoding": { "enum": ["text", "base64"], "default": "text" } }),
                json!(["path"]),
            ),
        ),
        (
            "write",
            object(
                json!({ "path": path, "content": { "type": "string" }, "encoding": { "enum": ["text", "base64"] },
            "append": { "type": "boolean" } }),
                json!(["path", "content"]),
            ),
        ),
        ("find", object(json!({ "pattern": { "type": "string" }, "path": path }), json!(["pattern"]))),
    ];
    let toy = [
        ("sleep", object(json!({ "ms": { "type": "integer", "description": "How long." } }), json!(["ms"]))),
        ("hang_up", object(json!({}), json!([]))),
        ("limited", object(json!({}), json!([]))),
        ("count", object(json!({}), json!([]))),
        ("unlisted", object(json!({}), json!([]))),
    ];
    let service = |name: &str, methods: &[(&str, Value)]| {
        let capability = |(method, schema): &(&str, Value)| {
            json!({
                "method": format!("mcp.{name}.{method}"),
                "tool": format!("{name}_{method}"),
                "description": format!("Does {method}. At length."),
                "params_schema": schema,
            })
        };
        json!({ "service_name": name, "capabilities": methods.iter().map(capability).collect::<Vec<_>>() })
    };
    json!([service("fs", &fs), service("toy", &toy)])
}
