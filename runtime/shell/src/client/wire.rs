//! One open connection to the daemon: messages in, messages out, over WebSocket or a UNIX socket.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use protocol::frame::{Frames, Framing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::Endpoint;
use super::target::Target;
use crate::token::Token;

/// A daemon on the other side of the world answers well within this; a host that drops packets never does, and a
/// person who typed a command meanwhile is waiting.
const DIAL_LIMIT: Duration = Duration::from_secs(5);
/// The largest answer taken in. The daemon bounds its results far below; this bounds a server gone wrong.
const MESSAGE_MAX: usize = 64 << 20;

pub(super) enum Wire {
    Ws(Box<WebSocketStream<TcpStream>>),
    Unix { stream: UnixStream, frames: Frames, buffer: BytesMut },
}

/// What came in.
pub(super) enum Heard {
    Message(Bytes),
    /// The other side lives, but said nothing: a pong.
    Alive,
}

/// Why there is no connection, for a person.
pub(super) struct Refusal {
    pub(super) reason: String,
    /// Whether trying again by itself could help: a daemon may come up; a token does not become right.
    pub(super) retry: bool,
}

impl Wire {
    pub(super) async fn open(endpoint: Endpoint) -> Result<Self, Refusal> {
        let target = endpoint.target.clone();
        match tokio::time::timeout(DIAL_LIMIT, dial(endpoint)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(again(format!("{target} did not answer within {} s", DIAL_LIMIT.as_secs()))),
        }
    }

    /// The next thing heard, or why there will be none. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Heard, String> {
        match self {
            Self::Ws(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => Ok(Heard::Message(text.into())),
                Some(Ok(Message::Binary(bytes))) => Ok(Heard::Message(bytes)),
                Some(Ok(Message::Close(Some(close)))) if !close.reason.is_empty() => {
                    Err(format!("the server closed the connection: {}", close.reason))
                }
                Some(Ok(Message::Close(_))) | None => Err("the server closed the connection".into()),
                Some(Ok(_)) => Ok(Heard::Alive),
                Some(Err(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                    Err("the server went away".into())
                }
                Some(Err(error)) => Err(format!("the connection broke: {}", plain(&error))),
            },
            Self::Unix { stream, frames, buffer } => loop {
                match frames.next(buffer) {
                    Some(Ok(message)) => return Ok(Heard::Message(message)),
                    Some(Err(error)) => return Err(format!("the server sent a {error}")),
                    None => {}
                }
                match stream.read_buf(buffer).await {
                    Ok(0) => return Err("the server closed the connection".into()),
                    Ok(_) => {}
                    Err(error) => return Err(format!("the connection broke: {error}")),
                }
            },
        }
    }

    pub(super) async fn send(&mut self, text: String) -> Result<(), String> {
        let broke = |error: &dyn std::fmt::Display| format!("the connection broke: {error}");
        match self {
            Self::Ws(socket) => socket.send(Message::text(text)).await.map_err(|error| broke(&plain(&error))),
            Self::Unix { stream, .. } => {
                let mut bytes = text.into_bytes();
                bytes.push(Framing::Nul.delimiter());
                stream.write_all(&bytes).await.map_err(|error| broke(&error))
            }
        }
    }

    /// Asks the other side for a sign of life, where the transport has one. A UNIX socket tells of a death by
    /// itself.
    pub(super) async fn ping(&mut self) -> Result<bool, String> {
        match self {
            Self::Ws(socket) => match socket.send(Message::Ping(Bytes::new())).await {
                Ok(()) => Ok(true),
                Err(error) => Err(format!("the connection broke: {}", plain(&error))),
            },
            Self::Unix { .. } => Ok(false),
        }
    }

    /// Takes leave as the protocol asks, without waiting for an answer.
    pub(super) async fn close(&mut self) {
        // It is over either way.
        let _ = match self {
            Self::Ws(socket) => SinkExt::close(&mut **socket).await.map_err(|error| plain(&error)),
            Self::Unix { stream, .. } => stream.shutdown().await.map_err(|error| error.to_string()),
        };
    }
}

async fn dial(endpoint: Endpoint) -> Result<Wire, Refusal> {
    let token = endpoint.token.read().map_err(never)?;
    match &endpoint.target {
        Target::Unix(path) => dial_unix(path).await,
        Target::Ws { uri, host, port } => dial_ws(uri, host, *port, token).await,
    }
}

async fn dial_unix(path: &Path) -> Result<Wire, Refusal> {
    let stream = UnixStream::connect(path).await.map_err(|error| {
        again(format!("cannot connect to unix:{}: {error}; is the daemon running?", path.display()))
    })?;
    Ok(Wire::Unix { stream, frames: Frames::new(Framing::Nul, MESSAGE_MAX), buffer: BytesMut::new() })
}

async fn dial_ws(uri: &Uri, host: &str, port: u16, token: Option<Token>) -> Result<Wire, Refusal> {
    let had_token = token.is_some();
    let mut request = uri.into_client_request().map_err(|error| never(plain(&error)))?;
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| never("the token has characters that no header may carry".into()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    let stream = TcpStream::connect((host, port)).await.map_err(|error| {
        again(format!("cannot connect to {uri}: {error}; is the daemon running? (`llmbasedos serve`)"))
    })?;
    // Requests are small and someone is waiting for the answer; a failure here only makes them slower.
    let _ = stream.set_nodelay(true);
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(Wire::Ws(Box::new(socket))),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err(turned_away(uri, response.status(), &String::from_utf8_lossy(body), had_token))
        }
        Err(error) => Err(again(format!("{uri} does not speak WebSocket: {}", plain(&error)))),
    }
}

/// The server's own words come last: they say what to do.
fn turned_away(uri: &Uri, status: StatusCode, body: &str, had_token: bool) -> Refusal {
    let what = match (status, had_token) {
        (StatusCode::UNAUTHORIZED, false) => {
            "it wants a token (--token, LLMBDO_TOKEN or --token-file; `llmbasedos token create NAME` makes one)"
        }
        (StatusCode::UNAUTHORIZED, true) => "it does not accept this token",
        (StatusCode::NOT_FOUND, _) => "there is no WebSocket at this path (the daemon's is /ws)",
        _ => "it refused the connection",
    };
    // A sentence or two is advice; a page is somebody else's web server.
    let body: String = body.trim().chars().take(300).collect();
    let said = if body.is_empty() { String::new() } else { format!("; it says: {body}") };
    let reason = format!("{uri} answered {}: {what}{said}", status.as_u16());
    Refusal { reason, retry: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS }
}

fn plain(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Io(error) => error.to_string(),
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => "it was closed".into(),
        other => other.to_string(),
    }
}

fn again(reason: String) -> Refusal {
    Refusal { reason, retry: true }
}

fn never(reason: String) -> Refusal {
    Refusal { reason, retry: false }
}
