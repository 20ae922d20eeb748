//! Streamable HTTP as a client writes it, byte by byte: a connection per request, and a reader of events that may
//! stop reading whenever a test likes.

use bytes::{Buf as _, BytesMut};
use harness::{Daemon, PATIENCE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const MODERN: &str = "2026-07-28";

/// Somebody who speaks HTTP: the header lines that are sent with every request.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) address: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// An answer whose body is read as far as one likes; dropped, it closes the connection.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    stream: TcpStream,
    buffer: BytesMut,
    /// Bytes of the body (or of its chunk) that are still to come; `None` between chunks.
    left: Option<usize>,
    chunked: bool,
    body: BytesMut,
}

/// An event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<String>,
    pub(crate) data: String,
}

/// What a modern request says of itself.
pub(crate) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// The same with capabilities.
pub(crate) fn able(capabilities: Value) -> Value {
    let mut meta = meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    meta
}

/// `params` with `meta` in it.
pub(crate) fn with(mut params: Value, meta: Value) -> Value {
    params["_meta"] = meta;
    params
}

/// A `tools/call`'s params.
pub(crate) fn tool(name: &str, arguments: Value) -> Value {
    let mut call = json!({ "name": name });
    call["arguments"] = arguments;
    call
}

impl Host {
    /// The owner.
    pub(crate) fn owner(daemon: &Daemon) -> Self {
        Self::new(daemon, &daemon.token())
    }

    pub(crate) fn new(daemon: &Daemon, token: &str) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("Accept", "application/json, text/event-stream"),
            header("Content-Type", "application/json"),
            header("Authorization", &format!("Bearer {token}")),
        ];
        Self { address: daemon.address.clone(), headers }
    }

    /// The same host with another header, in place of its own of that name; an empty value leaves it out.
    pub(crate) fn but(&self, name: &str, value: &str) -> Self {
        let mut host = self.clone();
        host.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            host.headers.push((name.to_owned(), value.to_owned()));
        }
        host
    }

    /// The request's head.
    pub(crate) fn head(&self, verb: &str) -> String {
        let mut head = format!("{verb} /mcp HTTP/1.1\r\n");
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.extend(["Host: ", &self.address, "\r\n"]);
        }
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head
    }

    pub(crate) async fn send(&self, verb: &str, body: &str) -> Response {
        let request = format!("{}Content-Length: {}\r\n\r\n{body}", self.head(verb), body.len());
        Response::of(&self.address, request.as_bytes()).await
    }

    /// A modern request, with the headers that repeat it.
    pub(crate) async fn modern(&self, method: &str, params: Value) -> Response {
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str());
        let host = self.but("MCP-Protocol-Version", MODERN).but("Mcp-Method", method);
        let host = name.map_or(host.clone(), |name| host.but("Mcp-Name", name));
        let meta = if params["_meta"].is_null() { meta() } else { params["_meta"].clone() };
        let body = json!({ "jsonrpc": "2.0", "id": "m", "method": method, "params": with(params, meta) });
        host.send("POST", &body.to_string()).await
    }

    /// A modern request's answer, whether it comes as a document or at the end of a stream.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        self.modern(method, params).await.answer().await
    }

    /// A modern request's result.
    pub(crate) async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params.clone()).await;
        assert!(answer.get("result").is_some(), "{method} {params}: {answer}");
        answer["result"].clone()
    }

    /// A request of a session.
    pub(crate) async fn legacy(&self, id: Value, method: &str, params: Value) -> Response {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send("POST", &body.to_string()).await
    }

    pub(crate) async fn notify(&self, method: &str, params: Value) -> Response {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.send("POST", &body.to_string()).await
    }

    /// Opens a session; the host that is in it.
    pub(crate) async fn open(&self, revision: &str) -> Self {
        let response = self.legacy(json!(0), "initialize", initialize(revision)).await;
        assert_eq!(response.status, 200, "{}", response.head);
        let session = response.header("mcp-session-id").expect("a session has an id").to_owned();
        self.but("Mcp-Session-Id", &session).but("MCP-Protocol-Version", revision)
    }
}

/// What `initialize` is sent.
pub(crate) fn initialize(revision: &str) -> Value {
    json!({ "protocolVersion": revision, "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "test", "version": "1" } })
}

impl Response {
    pub(crate) async fn of(address: &str, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the TCP door is open");
        // The server may answer, and close, before it has read everything.
        let _ = stream.write_all(request).await;
        Self::read(stream).await
    }

    /// Reads the head of what comes.
    pub(crate) async fn read(mut stream: TcpStream) -> Self {
        let mut buffer = BytesMut::new();
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let read = timeout(PATIENCE, stream.read_buf(&mut buffer)).await.expect("it answers");
            assert_ne!(read.expect("a response"), 0, "the connection ended without a response");
        };
        let head = String::from_utf8_lossy(&buffer.split_to(end)).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        let chunked = head.contains("transfer-encoding: chunked");
        let mut response = Self { status, head, stream, buffer, left: None, chunked, body: BytesMut::new() };
        if !chunked {
            response.left =
                Some(response.header("content-length").map_or(0, |length| length.parse().expect("a number")));
        }
        response
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// More of the body; `false` at its end.
    async fn more(&mut self) -> bool {
        loop {
            match self.left {
                Some(0) if !self.chunked => return false,
                Some(left) if left > 0 && !self.buffer.is_empty() => {
                    let now = left.min(self.buffer.len());
                    self.body.extend_from_slice(&self.buffer.split_to(now));
                    self.left = Some(left - now);
                    return true;
                }
                Some(0) if self.buffer.len() >= 2 => {
                    self.buffer.advance(2);
                    self.left = None;
                    continue;
                }
                None => {
                    if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                        let line = self.buffer.split_to(end + 2);
                        let size = std::str::from_utf8(&line[..end]).expect("a chunk's size");
                        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
                        if size == 0 {
                            return false;
                        }
                        self.left = Some(size);
                        continue;
                    }
                }
                _ => {}
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await.expect("more comes");
            if read.unwrap_or(0) == 0 {
                return false;
            }
        }
    }

    /// The whole body.
    pub(crate) async fn text(mut self) -> String {
        while self.more().await {}
        String::from_utf8(self.body.to_vec()).expect("UTF-8")
    }

    pub(crate) async fn json(self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The next event, comments left out; `None` at the stream's end.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.body.windows(2).position(|two| two == b"\n\n") {
                let text = String::from_utf8(self.body.split_to(end + 2).to_vec()).expect("UTF-8");
                let field = |name: &str| {
                    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    lines.map(str::to_owned).reduce(|all, line| format!("{all}\n{line}"))
                };
                if !text.starts_with(':') {
                    let data = field("data").unwrap_or_default();
                    return Some(Event { id: field("id"), retry: field("retry"), data });
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next message of the stream, what only primes it left out.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let event = self.event().await?;
            if !event.data.is_empty() {
                return Some(serde_json::from_str(&event.data).expect("an event is a message"));
            }
        }
    }

    /// Everything up to the stream's end.
    pub(crate) async fn messages(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(message) = self.message().await {
            all.push(message);
        }
        all
    }

    /// The answer: the document, or the last message of the stream.
    pub(crate) async fn answer(self) -> Value {
        if self.head.contains("content-type: text/event-stream") {
            return self.messages().await.pop().expect("a stream ends with the answer");
        }
        self.json().await
    }

    /// Status and error code, of a request that must fail.
    pub(crate) async fn refused(self) -> (u16, i64) {
        let status = self.status;
        let answer = self.answer().await;
        (status, answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}")))
    }
}
