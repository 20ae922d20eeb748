//! The original's wire: NUL-delimited JSON-RPC on a UNIX socket, one request at a time on a connection.
//!
//! Such a service answers strictly in order, so calls that may overtake one another need connections of their
//! own: a few are kept. A call that is given up takes its connection with it, since an answer is still to come.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::frame::{Frames, Framing};
use protocol::{Code, Context, Error, Payload};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use super::BackendConfig;

/// Opening a UNIX socket takes microseconds; a full backlog may take a moment.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Connections to one backend.
pub(crate) struct Pool {
    name: String,
    socket: PathBuf,
    timeout: Duration,
    answer_max: usize,
    uids: Vec<u32>,
    idle: Mutex<Vec<UnixStream>>,
    places: Semaphore,
}

/// The members of an answer that matter; its id is ours, because nothing else is under way on the connection.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<Failure>,
}

/// A result of null is a result, which `Option` alone does not tell from none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Failure {
    code: i32,
    message: String,
    data: Option<Value>,
}

impl Pool {
    pub(crate) fn new(name: &str, config: &BackendConfig) -> Self {
        Self {
            name: name.to_owned(),
            socket: config.dir.join(format!("{name}.sock")),
            timeout: config.timeout,
            answer_max: config.answer_max,
            uids: config.uids.clone(),
            idle: Mutex::default(),
            places: Semaphore::new(config.connections),
        }
    }

    /// A new connection to a peer that is trusted.
    pub(crate) async fn connect(&self) -> std::io::Result<UnixStream> {
        let stream = tokio::time::timeout(CONNECT_WITHIN, UnixStream::connect(&self.socket)).await??;
        let uid = stream.peer_cred()?.uid();
        if self.uids.contains(&uid) {
            return Ok(stream);
        }
        Err(std::io::Error::other(format!("it runs as user {uid}, which auth.unix_uids does not name")))
    }

    /// Sends one request and returns its answer.
    pub(crate) async fn call(
        &self,
        method: &str,
        params: &Value,
        context: &Context,
    ) -> Result<Payload, Error> {
        let limit = self.timeout.min(context.deadline.saturating_duration_since(std::time::Instant::now()));
        let request =
            json!({ "jsonrpc": "2.0", "id": context.request_id, "method": method, "params": params });
        let exchange = async {
            let _place = self.places.acquire().await.map_err(Error::internal)?;
            self.exchange(request.to_string()).await.map_err(|error| self.broken(error))
        };
        let answer = tokio::time::timeout(limit, exchange)
            .await
            .map_err(|_| Error::deadline(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))??;
        self.read(&answer)
    }

    async fn exchange(&self, mut request: String) -> std::io::Result<Bytes> {
        let mut stream = match self.reuse() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        request.push('\0');
        stream.write_all(request.as_bytes()).await?;
        let mut frames = Frames::new(Framing::Nul, self.answer_max);
        let mut buffer = BytesMut::with_capacity(4096);
        loop {
            if let Some(answer) = frames.next(&mut buffer) {
                let answer = answer.map_err(std::io::Error::other)?;
                self.idle().push(stream);
                return Ok(answer);
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// A kept connection on which nothing has happened: neither an end nor an answer to nothing.
    fn reuse(&self) -> Option<UnixStream> {
        loop {
            let stream = self.idle().pop()?;
            match stream.try_read(&mut [0; 1]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Some(stream),
                _ => {}
            }
        }
    }

    fn read(&self, answer: &[u8]) -> Result<Payload, Error> {
        let protocol = |detail: String| {
            Error::new(Code::Backend, format!("Backend '{}' broke the protocol.", self.name))
                .with_detail(detail)
        };
        let answer: Answer<'_> =
            serde_json::from_slice(answer).map_err(|error| protocol(error.to_string()))?;
        match (answer.result, answer.error) {
            (_, Some(failure)) => Err(Error::foreign(failure.code, failure.message, failure.data)),
            (Some(result), None) => Ok(Payload::Owned(result.get().to_owned())),
            (None, None) => Err(protocol("neither result nor error".into())),
        }
    }

    fn broken(&self, error: impl std::fmt::Display) -> Error {
        Error::new(Code::Backend, format!("Backend '{}' does not answer.", self.name)).with_detail(error)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<UnixStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget_idle(&self) {
        self.idle().clear();
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}
