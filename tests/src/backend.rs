//! A third-party daemon as the original's were: NUL-delimited JSON-RPC on a UNIX socket, one request at a time
//! on a connection, params by position, a capability file with draft-07 tuple schemas beside its socket.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use protocol::frame::{Frames, Framing};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::PATIENCE;

/// A running backend; it is gone, connections and socket and all, when this is dropped.
pub struct Toy {
    name: String,
    dir: PathBuf,
    state: watch::Sender<State>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// Keys of the `wait` calls under way.
    waiting: HashSet<String>,
    /// Keys whose `wait` calls end.
    released: HashSet<String>,
    /// Params of all calls, as they came.
    seen: Vec<Value>,
    /// A request arrived on a connection before the one ahead of it was answered.
    pipelined: bool,
}

impl Toy {
    /// Listens in the run directory `dir` as the service `name`, and publishes its capability file.
    pub fn start(dir: &Path, name: &str) -> Self {
        let toy = Self::hidden(dir, name);
        toy.publish(&toy.capabilities());
        toy
    }

    /// As [`Toy::start`], without the capability file.
    pub fn hidden(dir: &Path, name: &str) -> Self {
        let (name, dir, state) = (name.to_owned(), dir.to_owned(), watch::Sender::default());
        let mut toy = Self { name, dir, state, listener: None };
        toy.listen();
        toy
    }

    /// Listens (again).
    pub fn listen(&mut self) {
        let _ = std::fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).expect("the run directory takes a socket");
        let state = self.state.clone();
        self.listener = Some(tokio::task::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, state.clone()));
            }
        }));
    }

    /// Closes its socket and all connections; the capability file stays.
    pub fn leave(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        let _ = std::fs::remove_file(self.socket());
        self.state.send_modify(|state| state.waiting.clear());
    }

    /// What it can do, in the original's words.
    pub fn capabilities(&self) -> Value {
        let method = |name: &str, params: Value| {
            json!({
                "method": format!("mcp.{}.{name}", self.name),
                "description": format!("Does {name}."),
                "params_schema": params,
                "result_schema": { "type": "object" },
            })
        };
        let text = json!({ "type": "string", "description": "A text." });
        let mode = json!({ "type": "string", "enum": ["plain", "loud"], "default": "plain" });
        let echo = json!({ "type": "array", "items": [text, mode], "minItems": 1, "maxItems": 2 });
        let wait = json!({ "type": "array", "items": [text], "minItems": 1, "maxItems": 1 });
        let none = Value::Null;
        json!({
            "service_name": self.name,
            "description": "A toy.",
            "version": "0.1.1",
            "capabilities": [
                method("echo", echo),
                method("wait", wait),
                method("fail", none.clone()),
                method("nothing", none.clone()),
                method("garbage", none.clone()),
                method("hangup", none),
            ],
        })
    }

    /// Puts a capability file beside its socket, whole at once.
    pub fn publish(&self, capabilities: &Value) {
        let fresh = self.dir.join(format!("{}.fresh", self.name));
        std::fs::write(&fresh, capabilities.to_string()).expect("the run directory takes a file");
        std::fs::rename(&fresh, self.file()).expect("the run directory takes a file");
    }

    /// Its capability file.
    pub fn file(&self) -> PathBuf {
        self.dir.join(format!("{}.cap.json", self.name))
    }

    fn socket(&self) -> PathBuf {
        self.dir.join(format!("{}.sock", self.name))
    }

    /// Waits until a `wait` call with this key is under way.
    pub async fn waits(&self, key: &str) {
        self.comes(&format!("a wait for {key}"), |state| state.waiting.contains(key)).await;
    }

    /// Waits until so many `wait` calls, each with a key of its own, are under way.
    pub async fn busy(&self, calls: usize) {
        self.comes(&format!("{calls} waits at once"), |state| state.waiting.len() == calls).await;
    }

    /// Waits until no `wait` call with this key is under way: it was answered, or its connection was closed.
    pub async fn gone(&self, key: &str) {
        self.comes(&format!("the end of the wait for {key}"), |state| !state.waiting.contains(key)).await;
    }

    /// Lets `wait` calls with this key end.
    pub fn release(&self, key: &str) {
        self.state.send_modify(|state| {
            state.released.insert(key.to_owned());
        });
    }

    /// Params of all calls so far, as they came.
    pub fn seen(&self) -> Vec<Value> {
        self.state.borrow().seen.clone()
    }

    /// Whether a request ever arrived on a connection before the one ahead of it was answered.
    pub fn was_pipelined(&self) -> bool {
        self.state.borrow().pipelined
    }

    async fn comes(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let mut state = self.state.subscribe();
        let came = tokio::time::timeout(PATIENCE, state.wait_for(holds)).await;
        assert!(came.is_ok(), "never came: {what}");
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.leave();
    }
}

async fn serve(mut stream: UnixStream, state: watch::Sender<State>) {
    let (mut frames, mut buffer) = (Frames::new(Framing::Nul, 1 << 30), BytesMut::new());
    loop {
        while let Some(frame) = frames.next(&mut buffer) {
            let request: Value = serde_json::from_slice(&frame.expect("below the limit")).expect("a request");
            state.send_modify(|state| {
                state.seen.push(request["params"].clone());
                state.pipelined |= !buffer.is_empty();
            });
            let Some(answer) = answer(&request, &mut stream, &state).await else { return };
            if stream.write_all(format!("{answer}\0").as_bytes()).await.is_err() {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut buffer).await, Ok(n) if n > 0) {
            return;
        }
    }
}

/// The answer; `None` closes the connection.
async fn answer(request: &Value, stream: &mut UnixStream, state: &watch::Sender<State>) -> Option<String> {
    let method = request["method"].as_str().and_then(|name| name.rsplit('.').next()).expect("a method");
    let result = match method {
        "echo" => json!({ "text": request["params"][0], "params": request["params"] }),
        "wait" => {
            let key = request["params"][0].as_str().expect("the gateway checked it").to_owned();
            wait(&key, stream, state).await?;
            json!({ "key": key })
        }
        "nothing" => Value::Null,
        "garbage" => return Some("nonsense".to_owned()),
        "hangup" => return None,
        _ => {
            let error =
                json!({ "code": -32055, "message": "It failed.", "data": { "why": "it always does" } });
            return Some(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string());
        }
    };
    Some(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string())
}

/// Until the key is released; `None` when the caller hangs up, or says more, before that.
async fn wait(key: &str, stream: &mut UnixStream, state: &watch::Sender<State>) -> Option<()> {
    let mut released = state.subscribe();
    state.send_modify(|state| {
        state.waiting.insert(key.to_owned());
    });
    let outcome = tokio::select! {
        _ = released.wait_for(|state| state.released.contains(key)) => Some(()),
        more = stream.read_u8() => {
            state.send_modify(|state| state.pipelined |= more.is_ok());
            None
        }
    };
    state.send_modify(|state| {
        state.waiting.remove(key);
    });
    outcome
}
