//! `mcp.fs.append`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use super::write::Written;
use crate::append;
use crate::change::{self, Status};
use crate::content::Encoding;
use crate::etag::Condition;
use crate::fault::Fault;
use crate::files::{self, Parent};
use crate::path::ClientPath;
use crate::service::Fs;

/// Adds content to the end of a file, creating it where nothing is.
///
/// The content arrives in one piece after whatever is there, also when several callers append at the same time,
/// and the answer comes when it is on the disk. No newline is added: end the content with one. Never writes
/// through a link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Append {
    /// The file, from the virtual root: `/notes/log.txt`.
    path: ClientPath,
    /// What to add, in `encoding`.
    content: String,
    /// How `content` is given: `text`, or `base64` (strict, with padding).
    #[serde(default)]
    encoding: Encoding,
    /// Append only if the file's etag is this one; `none`: only if nothing is there; `*`: only if something is;
    /// null or empty: always.
    #[serde(default)]
    if_match: Option<String>,
    /// Whether to create missing directories above the file.
    #[serde(default)]
    create_parents: bool,
}

impl Method for Append {
    const NAME: &'static str = "mcp.fs.append";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ADD;
    const RUN: Run = Run::Blocking;

    type Reply = Written;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Written, Error> {
        Ok(self.append(context, fs)?)
    }
}

// === impl Append ===

impl Append {
    fn append(self, context: &Context, fs: &Fs) -> Result<Written, Fault> {
        let place = fs.place_to_change(context, &self.path)?;
        files::creatable(&place.path)?;
        let content = change::decode(self.content, self.encoding, fs.limits().write_bytes)?;
        let condition = Condition::parse(self.if_match.as_deref());
        if self.create_parents {
            change::make_parents(&place)?;
        }
        let parent = Parent::open(&place)?;
        let etag = append::append(fs, &parent, &content, &condition, &context.cancel)?;
        Ok(Written {
            path: place.path.to_string(),
            bytes_written: content.len() as u64,
            status: Status::Success,
            etag,
        })
    }
}
