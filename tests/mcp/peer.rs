//! The transports that are byte streams: a UNIX socket with NUL and with lines, a WebSocket, standard input and
//! output of a process that is attached to a daemon or embeds one.

use std::collections::VecDeque;
use std::process::Stdio;

use harness::{Client, Daemon, PATIENCE, daemon};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::http::initialize;

/// One connection.
pub(crate) struct Peer {
    wire: Wire,
    /// What came while something else was waited for.
    aside: VecDeque<Value>,
    /// The process behind it, where there is one.
    pub(crate) child: Option<Child>,
}

enum Wire {
    Socket(Client),
    Lines { input: Box<dyn AsyncWrite + Send + Unpin>, output: Box<dyn AsyncBufRead> },
}

trait AsyncBufRead: tokio::io::AsyncBufRead + Send + Unpin {}
impl<T: tokio::io::AsyncBufRead + Send + Unpin> AsyncBufRead for T {}

/// `llmbasedos stdio` on a folder.
pub(crate) fn stdio(dir: &std::path::Path) -> Command {
    let mut command = daemon::command("llmbasedos");
    command.args(["stdio", "--config-dir"]).arg(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl Peer {
    fn lines(
        input: impl AsyncWrite + Send + Unpin + 'static,
        output: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let wire = Wire::Lines { input: Box::new(input), output: Box::new(BufReader::new(output)) };
        Self { wire, aside: VecDeque::new(), child: None }
    }

    pub(crate) fn socket(client: Client) -> Self {
        Self { wire: Wire::Socket(client), aside: VecDeque::new(), child: None }
    }

    pub(crate) async fn unix_lines(daemon: &Daemon) -> Self {
        let stream = UnixStream::connect(daemon.dir().join("run/gateway.sock")).await.expect("a socket");
        let (read, write) = stream.into_split();
        Self::lines(write, read)
    }

    pub(crate) fn process(mut command: Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let (input, output) = (child.stdin.take().expect("ours"), child.stdout.take().expect("ours"));
        Self { child: Some(child), ..Self::lines(input, output) }
    }

    /// One of every kind, by name. The embedded one has a folder of its own, for as long as this daemon has.
    pub(crate) async fn all(daemon: &Daemon) -> Vec<(&'static str, Self)> {
        vec![
            ("ws", Self::socket(daemon.client().await)),
            ("unix, NUL", Self::socket(daemon.unix("gateway").await)),
            ("unix, lines", Self::unix_lines(daemon).await),
            ("stdio, attached", Self::process(stdio(daemon.dir()))),
            ("stdio, embedded", Self::embedded(daemon).await),
        ]
    }

    pub(crate) async fn embedded(daemon: &Daemon) -> Self {
        let dir = daemon.dir().join("another");
        if !dir.exists() {
            harness::Setup::default().lay_out(&dir).await;
        }
        Self::process(stdio(&dir))
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        match &mut self.wire {
            Wire::Socket(client) => assert!(client.send(text.to_owned()).await, "the connection is gone"),
            Wire::Lines { input, .. } => {
                input.write_all(format!("{text}\n").as_bytes()).await.expect("it reads");
                input.flush().await.expect("it reads");
            }
        }
    }

    pub(crate) async fn send(&mut self, id: Value, method: &str, params: Value) {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.send_text(&message.to_string()).await;
    }

    async fn receive(&mut self) -> Option<Value> {
        match &mut self.wire {
            Wire::Socket(client) => client.stray().await,
            Wire::Lines { output, .. } => {
                let mut line = String::new();
                let read = timeout(PATIENCE, output.read_line(&mut line)).await.expect("a message comes");
                (read.expect("UTF-8") > 0)
                    .then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")))
            }
        }
    }

    /// The next message; `None` when the connection is gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        match self.aside.pop_front() {
            Some(message) => Some(message),
            None => self.receive().await,
        }
    }

    /// The answer to the request `id`; what else comes is kept for [`Peer::next`].
    pub(crate) async fn answer(&mut self, id: &Value) -> Value {
        loop {
            let message = self.receive().await.expect("the connection stays");
            if message.get("id") == Some(id) && message.get("method").is_none() {
                return message;
            }
            self.aside.push_back(message);
        }
    }

    pub(crate) async fn ask(&mut self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        let id = id.into();
        self.send(id.clone(), method, params).await;
        self.answer(&id).await
    }

    /// Settles on a revision.
    pub(crate) async fn open(&mut self, revision: &str) -> Value {
        let answer = self.ask("open", "initialize", initialize(revision)).await;
        self.notify("notifications/initialized", json!({})).await;
        answer["result"].clone()
    }

    /// What came aside so far, taken.
    pub(crate) fn aside(&mut self) -> Vec<Value> {
        self.aside.drain(..).collect()
    }

    /// Ends the connection.
    pub(crate) fn hang_up(self) -> Option<Child> {
        self.child
    }
}
