//! `mcp.fs.multi_read`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::read::Content;
use crate::content::{Encoding, Range};
use crate::fault::{Fault, What};
use crate::files::Regular;
use crate::path::ClientPath;
use crate::service::Fs;

/// Reads several files at once.
///
/// Every path gets a result of its own, in the order given: a file that cannot be read has an `error` and does not
/// spoil the others. All contents together are bounded like one read; a file of which only a part fitted has a
/// `next_offset`, one that did not fit at all an error that says so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MultiRead {
    /// The files, from the virtual root; up to 100.
    #[schemars(length(max = 100))]
    paths: Vec<ClientPath>,
    /// How the contents are given: `text` for UTF-8, `base64` for anything.
    #[serde(default)]
    encoding: Encoding,
}

/// The contents.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Contents {
    /// One result for each path, in the same order.
    files: Vec<OneRead>,
}

/// A file that was read, or why it was not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OneRead {
    /// The path as it was given.
    path: String,
    /// What `mcp.fs.read` would have answered; null where there is an error.
    file: Option<Content>,
    /// The error that `mcp.fs.read` would have answered with; null where the file was read.
    error: Option<OneError>,
}

/// An error as JSON-RPC has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OneError {
    /// Its number in the table of errors.
    code: i32,
    /// What happened, to what, and what to do.
    message: String,
    /// Machine-readable particulars.
    data: Option<Value>,
}

impl From<Error> for OneError {
    fn from(error: Error) -> Self {
        Self { code: error.code.number(), message: error.message, data: error.data.map(|data| *data) }
    }
}

impl Method for MultiRead {
    const NAME: &'static str = "mcp.fs.multi_read";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Contents;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Contents, Error> {
        Ok(self.read_all(context, fs)?)
    }
}

// === impl MultiRead ===

impl MultiRead {
    fn read_all(self, context: &Context, fs: &Fs) -> Result<Contents, Fault> {
        let mut left = fs.limits().read_bytes;
        let mut files = Vec::with_capacity(self.paths.len());
        for path in self.paths {
            Fault::unless_cancelled(&context.cancel)?;
            let read = read_one(context, fs, &path, self.encoding, left);
            if let Ok(content) = &read {
                left = left.saturating_sub(content.content.len() as u64);
            }
            let path = path.0;
            files.push(match read {
                Ok(file) => OneRead { path, file: Some(file), error: None },
                Err(fault) => OneRead { path, file: None, error: Some(Error::from(fault).into()) },
            });
        }
        Ok(Contents { files })
    }
}

fn read_one(
    context: &Context,
    fs: &Fs,
    path: &ClientPath,
    encoding: Encoding,
    left: u64,
) -> Result<Content, Fault> {
    let place = fs.place(context, path)?;
    let file = Regular::open(&place)?;
    if left == 0 && file.attributes.bytes > 0 {
        return Err(Fault::new(What::NoRoomInAnswer, &place.path));
    }
    Content::read(&file, Range::Bytes { offset: 0, most: left }, encoding, &place.path)
}
