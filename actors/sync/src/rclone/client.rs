//! rclone's remote control: JSON over HTTP at a private socket, with credentials of this one process.
//!
//! Every question has a deadline and every answer a longest length. A connection for each question: there are a few in
//! a second, and one that hangs holds up nobody else.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};

/// The longest answer: a folder of some fifty thousand files.
const ANSWER_MAX: usize = 16 << 20;

/// Where it listens.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// A way to one process's remote control.
#[derive(Clone)]
pub(crate) struct Client {
    door: Door,
    authorization: String,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum Unanswered {
    /// Nobody is there, or it hung up.
    Gone(String),
    /// It was too slow.
    Late,
    /// It refused: its own words, and the status of HTTP.
    Refused(u16, String),
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone(why) => write!(f, "rclone is gone: {why}"),
            Self::Late => f.write_str("rclone does not answer"),
            Self::Refused(_, why) => f.write_str(why),
        }
    }
}

impl Client {
    pub(crate) fn new(door: Door, user: &str, password: &str) -> Self {
        Self { door, authorization: format!("Basic {}", BASE64.encode(format!("{user}:{password}"))) }
    }

    /// Asks `path` (`core/stats`).
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        params: &Value,
        within: Duration,
    ) -> Result<T, Unanswered> {
        let answered = tokio::time::timeout(within, self.post(path, params.to_string())).await;
        let (status, body) = answered.map_err(|_| Unanswered::Late)??;
        if status != 200 {
            let why = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error);
            return Err(Unanswered::Refused(status, why.unwrap_or_else(|_| format!("HTTP status {status}"))));
        }
        serde_json::from_slice(&body).map_err(|error| Unanswered::Gone(format!("{path}: {error}")))
    }

    async fn post(&self, path: &str, body: String) -> Result<(u16, Bytes), Unanswered> {
        let gone = |error: &dyn std::fmt::Display| Unanswered::Gone(error.to_string());
        match &self.door {
            Door::Unix(socket) => {
                let stream = UnixStream::connect(socket).await.map_err(|error| gone(&error))?;
                self.exchange(stream, path, body).await
            }
            Door::Tcp(address) => {
                let stream = TcpStream::connect(address).await.map_err(|error| gone(&error))?;
                self.exchange(stream, path, body).await
            }
        }
    }

    async fn exchange<S>(&self, stream: S, path: &str, body: String) -> Result<(u16, Bytes), Unanswered>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let gone = |error: &dyn std::fmt::Display| Unanswered::Gone(error.to_string());
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| gone(&error))?;
        let request = Request::post(format!("/{path}"))
            .header(HOST, "rclone")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, &self.authorization)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| gone(&error))?;
        let asked = async {
            let answer = sender.send_request(request).await.map_err(|error| gone(&error))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            Ok((status, body.map_err(|error| gone(&error))?.to_bytes()))
        };
        tokio::pin!(asked, connection);
        tokio::select! {
            answer = &mut asked => answer,
            ended = &mut connection => match ended {
                // Read to its end by the connection; the answer is there.
                Ok(()) => asked.await,
                Err(error) => Err(gone(&error)),
            },
        }
    }
}
