//! Files of the person who calls, under that caller's rights and limits: every touch of one is a call of the file
//! service through the gateway, as if the caller had made it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use protocol::{Caller, Cancel, Context, Dispatch, Error, Incoming, Reply};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// How much is written or read at once, in bytes.
pub(crate) const PIECE: usize = 1 << 20;
/// How long the removal of what is left over may take.
const CLEANING: Duration = Duration::from_secs(30);

/// The way to one caller's files.
#[derive(Clone)]
pub(crate) struct Files {
    dispatch: Arc<dyn Dispatch>,
    caller: Arc<Caller>,
    cancel: Cancel,
    deadline: Instant,
}

/// A file that is being made, under another name until it is whole. Dropped before that, nothing is left of it.
pub(crate) struct Making {
    files: Files,
    part: String,
    to: String,
    begun: bool,
}

/// A piece of a file, as `mcp.fs.read` answers it.
#[derive(Deserialize)]
struct Piece {
    content: String,
    mime_type: String,
    size: u64,
    next_offset: Option<u64>,
}

impl Files {
    pub(crate) fn of(context: &Context, dispatch: &Arc<dyn Dispatch>) -> Self {
        Self {
            dispatch: Arc::clone(dispatch),
            caller: Arc::clone(&context.caller),
            cancel: context.cancel.clone(),
            deadline: context.deadline,
        }
    }

    /// A new file at the virtual path `to`. Nothing may be there.
    pub(crate) fn make(self, to: String) -> Making {
        let (folder, name) = to.rsplit_once('/').unwrap_or(("", &to));
        let part = format!("{folder}/.{name}.{:08x}.part", fastrand::u32(..));
        Making { files: self, part, to, begun: false }
    }

    /// A whole file and what type it is of.
    ///
    /// # Errors
    /// Whatever the file service answers; also where it is longer than `most` bytes.
    pub(crate) async fn read(&self, path: &str, most: u64) -> Result<(Vec<u8>, String), Error> {
        let (mut bytes, mut offset) = (Vec::new(), 0);
        loop {
            let params = json!({ "path": path, "encoding": "base64", "offset": offset });
            let answer = self.call("mcp.fs.read", &params).await?;
            let piece: Piece = serde_json::from_str(&answer).map_err(Error::internal)?;
            if piece.size > most || bytes.len() as u64 > most {
                let size = piece.size;
                return Err(Error::invalid_params(format!(
                    "'{path}' has {size} bytes; what is attached may have {most} in all"
                )));
            }
            bytes.extend(BASE64.decode(&piece.content).map_err(Error::internal)?);
            match piece.next_offset {
                Some(next) => offset = next,
                None => return Ok((bytes, piece.mime_type)),
            }
        }
    }

    async fn call(&self, method: &str, params: &Value) -> Result<String, Error> {
        let (outbox, outcome) = service::once();
        self.dispatch.dispatch(self.incoming(method, params, Reply::new(outbox, 0))?);
        let answer = outcome.await.unwrap_or_else(|_| Err(Error::unavailable("fs")))?;
        Ok(answer.as_str().to_owned())
    }

    fn incoming(&self, method: &str, params: &Value, reply: Reply) -> Result<Incoming, Error> {
        let params: Box<RawValue> = to_raw_value(params).map_err(Error::internal)?;
        Ok(Incoming {
            method: method.into(),
            params: Some(params),
            caller: Arc::clone(&self.caller),
            deadline: self.deadline,
            cancel: self.cancel.clone(),
            inputs: None,
            reply,
        })
    }
}

impl Making {
    /// Adds to its end.
    pub(crate) async fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let condition = if self.begun { "" } else { "none" };
        let params = json!({ "path": self.part, "content": BASE64.encode(bytes), "encoding": "base64",
            "if_match": condition, "append": self.begun, "create_parents": true });
        self.begun = true;
        self.files.call("mcp.fs.write", &params).await.map(drop)
    }

    /// Gives it its name, now that it is whole.
    pub(crate) async fn finish(mut self) -> Result<String, Error> {
        if !self.begun {
            self.add(&[]).await?;
        }
        let params = json!({ "from": self.part, "to": self.to });
        self.files.call("mcp.fs.move", &params).await?;
        self.begun = false;
        Ok(std::mem::take(&mut self.to))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        // Whoever called may be gone, and what is left over goes all the same.
        let files =
            Files { cancel: Cancel::new(), deadline: Instant::now() + CLEANING, ..self.files.clone() };
        let (outbox, _) = service::once();
        let params = json!({ "path": self.part, "permanent": true });
        if let Ok(incoming) = files.incoming("mcp.fs.delete", &params, Reply::new(outbox, 0)) {
            files.dispatch.dispatch(incoming);
        }
    }
}
