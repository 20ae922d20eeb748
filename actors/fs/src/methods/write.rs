//! `mcp.fs.write`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{self, Status};
use crate::content::Encoding;
use crate::etag::{self, Condition};
use crate::fault::Fault;
use crate::files::{self, Parent};
use crate::path::ClientPath;
use crate::service::Fs;

/// Writes a file: creates it, or replaces all of its content at once.
///
/// Readers see the old content or the new, never a part, and the answer comes when the new content is safely on
/// the disk. An existing file keeps its permissions. Give `if_match` the etag that reading it returned to make
/// sure that nothing is overwritten that you have not seen. To change a part of a file use `mcp.fs.edit`, to add
/// to its end `mcp.fs.append`. Never writes through a link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// The file, from the virtual root: `/documents/letter.txt`.
    path: ClientPath,
    /// The whole new content, in `encoding`.
    content: String,
    /// How `content` is given: `text`, or `base64` (strict, with padding) for anything that is not UTF-8.
    #[serde(default)]
    encoding: Encoding,
    /// Add `content` to the end instead; the same as `mcp.fs.append`.
    #[serde(default)]
    append: bool,
    /// Write only if the file's etag is this one; `none`: only if nothing is there; `*`: only if something is;
    /// null or empty: always.
    #[serde(default)]
    if_match: Option<String>,
    /// Whether to create missing directories above the file.
    #[serde(default)]
    create_parents: bool,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Written {
    /// The path.
    pub(crate) path: String,
    /// How many bytes of content were written.
    pub(crate) bytes_written: u64,
    /// Always `success`.
    pub(crate) status: Status,
    /// Etag of the file as it is now, for the next `if_match`; null after appending to a file larger than one
    /// read.
    pub(crate) etag: Option<String>,
}

impl Method for Write {
    const NAME: &'static str = "mcp.fs.write";
    const TIER: Tier = Tier::Pro;
    // With `append`, twice is not once.
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Blocking;

    type Reply = Written;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Written, Error> {
        Ok(self.write(context, fs)?)
    }
}

// === impl Write ===

impl Write {
    fn write(self, context: &Context, fs: &Fs) -> Result<Written, Fault> {
        let place = fs.place_to_change(context, &self.path)?;
        files::creatable(&place.path)?;
        let content = change::decode(self.content, self.encoding, fs.limits().write_bytes)?;
        let condition = Condition::parse(self.if_match.as_deref());
        if self.create_parents {
            change::make_parents(&place)?;
        }
        let parent = Parent::open(&place)?;
        let etag = if self.append {
            crate::append::append(fs, &parent, &content, &condition, &context.cancel)?
        } else {
            change::replace(fs, &parent, &content, &condition, &context.cancel)?;
            Some(etag::of_bytes(&content))
        };
        Ok(Written {
            path: place.path.to_string(),
            bytes_written: content.len() as u64,
            status: Status::Success,
            etag,
        })
    }
}
