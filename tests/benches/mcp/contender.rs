//! A server of the protocol under measurement, and how it is talked to: each in the era that it speaks.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::TOOLS;
use super::http::{Connection, request};
use crate::server::Server;

/// Longer than any answer takes.
const STUCK: Duration = Duration::from_secs(30);

/// The last revision that has sessions.
const LEGACY: &str = "2025-11-25";

/// The revision that has none.
const MODERN: &str = "2026-07-28";

/// How a server is talked to.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Requests that say everything themselves, under this token.
    Modern { token: String },
    /// A session on each connection.
    Legacy,
}

/// One server.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) manner: Manner,
    /// What it is asked, and by which tool and arguments.
    pub(crate) calls: Vec<Call>,
}

/// A call of a tool.
#[derive(Clone)]
pub(crate) struct Call {
    /// What it is measured as.
    pub(crate) what: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) arguments: String,
}

/// A connection that may make calls, and the session that it is in.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    session: Option<String>,
}

impl Contender {
    /// The call of a tool that `what` is, if it is one and this server has such a tool.
    fn call(&self, what: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.what == what)
    }

    /// Whether it can be asked for that.
    pub(crate) fn has(&self, what: &str) -> bool {
        what == TOOLS || self.call(what).is_some()
    }

    /// What is asked, as JSON-RPC has it: the method and its params.
    pub(crate) fn params(&self, what: &str) -> (&'static str, String) {
        let (method, own) = match self.call(what) {
            Some(Call { tool, arguments, .. }) => {
                ("tools/call", format!("\"name\":\"{tool}\",\"arguments\":{arguments}"))
            }
            None => ("tools/list", String::new()),
        };
        let meta = match self.manner {
            Manner::Modern { .. } => format!(
                "\"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"{MODERN}\",\
                 \"io.modelcontextprotocol/clientCapabilities\":{{}}}}"
            ),
            Manner::Legacy => String::new(),
        };
        let comma = if own.is_empty() || meta.is_empty() { "" } else { "," };
        (method, format!("{{{own}{comma}{meta}}}"))
    }

    /// The request for `what`, ready for the wire of this line.
    pub(crate) fn request(&self, what: &str, line: &Line) -> Vec<u8> {
        let (method, params) = self.params(what);
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        let bearer;
        let mut headers = vec![JSON, ACCEPT];
        match &self.manner {
            Manner::Modern { token } => {
                bearer = format!("Bearer {token}");
                headers.extend([("authorization", &*bearer), ("mcp-protocol-version", MODERN)]);
                headers.push(("mcp-method", method));
                headers.extend(self.call(what).map(|call| ("mcp-name", call.tool)));
            }
            Manner::Legacy => headers.extend(in_session(line.session.as_deref())),
        }
        request("POST", "/mcp", &self.server.address, &headers, &body)
    }

    /// Whether it is neither the daemon nor the echo.
    pub(crate) fn is_peer(&self) -> bool {
        matches!(self.manner, Manner::Legacy)
    }

    /// Opens a connection, and a session where there are such.
    pub(crate) async fn open(&self) -> anyhow::Result<Line> {
        let address = &self.server.address;
        let mut line = Line { connection: Connection::open(address).await?, session: None };
        if let Manner::Legacy = self.manner {
            let hello = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{{\"protocolVersion\":\"{LEGACY}\",\
                 \"capabilities\":{{}},\"clientInfo\":{{\"name\":\"bench\",\"version\":\"1\"}}}}}}"
            );
            let head =
                line.connection.ask(&request("POST", "/mcp", address, &[JSON, ACCEPT], &hello)).await?;
            ensure!(head.status == 200, "initialize: status {}", head.status);
            line.session = head.session;
            let headers = [&[JSON, ACCEPT][..], &in_session(line.session.as_deref())].concat();
            let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
            let head = line.connection.ask(&request("POST", "/mcp", address, &headers, ready)).await?;
            ensure!(head.status < 300, "notifications/initialized: status {}", head.status);
        }
        Ok(line)
    }

    /// Ends a line's session: hundreds that are left open would weigh on the rounds that follow.
    pub(crate) async fn close(&self, mut line: Line) {
        if line.session.is_some() {
            let headers = in_session(line.session.as_deref());
            let end = request("DELETE", "/mcp", &self.server.address, &headers, "");
            let _ = tokio::time::timeout(Duration::from_secs(1), line.connection.ask(&end)).await;
        }
    }

    /// Asks once, and checks that the answer is about the folder: a server that refuses quickly would look fast.
    pub(crate) async fn probe(&self, what: &str) -> anyhow::Result<String> {
        let text = self.ask(what).await?;
        let sign = if what == TOOLS { self.calls[0].tool } else { "note 50.md" };
        let shown = || text.chars().take(300).collect::<String>();
        ensure!(
            text.contains(sign) && !text.contains("\"isError\":true"),
            "{what} is answered by {}",
            shown()
        );
        Ok(text)
    }

    /// Asks once.
    pub(crate) async fn ask(&self, what: &str) -> anyhow::Result<String> {
        let asked = async {
            let mut line = self.open().await?;
            let request = self.request(what, &line);
            let head = line.connection.ask(&request).await?;
            let text = String::from_utf8_lossy(&line.connection.body).into_owned();
            self.close(line).await;
            ensure!(head.status == 200, "{what} is answered by {} {text}", head.status);
            Ok(text)
        };
        tokio::time::timeout(STUCK, asked).await.context("no answer")?
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");

fn in_session(session: Option<&str>) -> Vec<(&str, &str)> {
    let mut headers = vec![("mcp-protocol-version", LEGACY)];
    headers.extend(session.map(|id| ("mcp-session-id", id)));
    headers
}
