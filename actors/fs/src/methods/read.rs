//! `mcp.fs.read`.

use protocol::{Context, Effect, Error, Method, Run, Shape, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::{Encoding, Part, Range};
use crate::etag;
use crate::fault::{Fault, What};
use crate::files::Regular;
use crate::mime;
use crate::path::{ClientPath, VirtualPath};
use crate::roots::Place;
use crate::service::Fs;

/// Reads a file, or a part of it: by bytes (`offset`, `limit`) or by lines (`head`, `tail`).
///
/// One answer holds at most what the server allows (1 MiB unless configured otherwise); `next_offset` says where
/// to go on and is null at the end of the file. Text must be UTF-8 and is never cut inside a character; read
/// anything else with encoding `base64`. When the answer is the whole file it carries the etag that `if_match` of
/// the writing methods takes. Links are followed as long as they stay inside the root.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    /// The file, from the virtual root: `/documents/letter.txt`.
    path: ClientPath,
    /// How the content is given: `text` for UTF-8, `base64` for anything.
    #[serde(default)]
    encoding: Encoding,
    /// The byte to begin with.
    #[serde(default)]
    offset: u64,
    /// How many bytes to read at most; 0 is as many as the server allows. Never fewer than 4, so that every
    /// character fits.
    #[serde(default)]
    limit: u64,
    /// Read only so many lines from `offset` on.
    #[serde(default)]
    head: Option<u64>,
    /// Read only the last so many lines; not together with `offset` or `head`.
    #[serde(default)]
    tail: Option<u64>,
}

/// A file's content, or a part of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Content {
    /// The path.
    pub(crate) path: String,
    /// The content, in `encoding`.
    pub(crate) content: String,
    /// How the content is given.
    pub(crate) encoding: Encoding,
    /// What the file contains, told from its first bytes.
    pub(crate) mime_type: &'static str,
    /// Size of the whole file in bytes.
    pub(crate) size: u64,
    /// The byte that `content` begins with.
    pub(crate) offset: u64,
    /// The byte to go on with; null at the end of the file.
    pub(crate) next_offset: Option<u64>,
    /// Etag of the file; null when `content` is only a part of it (then `mcp.fs.stat` tells it).
    pub(crate) etag: Option<String>,
    /// Time of the last change, ISO 8601 in UTC.
    pub(crate) modified_at: Option<String>,
}

impl Method for Read {
    const NAME: &'static str = "mcp.fs.read";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Content;
    type Service = Fs;

    fn text_bytes(reply: &Content) -> usize {
        // One byte in sixteen is escaped, at most, in nearly all texts.
        reply.content.len() + reply.content.len() / 16 + reply.path.len() + 384
    }

    fn try_now(&self, context: &Context, fs: &Fs, _: bool) -> Option<Result<Content, Error>> {
        let place = fs.place(context, &self.path).ok()?.at_once()?;
        let file = Regular::open(&place).ok()?;
        // More than this takes longer than waking a thread for it.
        if file.attributes.bytes > AT_ONCE_BYTES {
            return None;
        }
        // Whatever is wrong is found out, and told, where waiting is allowed.
        self.read(&file, &place, context, fs).ok().map(Ok)
    }

    async fn call(self, context: &Context, fs: &Fs) -> Result<Content, Error> {
        let place = fs.place(context, &self.path)?;
        let file = Regular::open(&place).map_err(Error::from)?;
        Ok(self.read(&file, &place, context, fs)?)
    }
}

/// The largest file that is read without a thread of its own: some 20 us of copying, checking and escaping.
const AT_ONCE_BYTES: u64 = 16 * 1024;

// === impl Read ===

impl Read {
    fn read(&self, file: &Regular, place: &Place<'_>, context: &Context, fs: &Fs) -> Result<Content, Fault> {
        let range = self.range(fs.limits().read_bytes)?;
        // The original answered with the whole file. Whoever calls as its clients do must not take a part for it.
        let whole = self.limit == 0 && self.head.is_none() && self.tail.is_none();
        if context.shape == Shape::Original && whole {
            let left = file.attributes.bytes.saturating_sub(self.offset);
            if left > fs.limits().read_bytes {
                return Err(Fault::new(What::TooManyBytes, &place.path));
            }
        }
        Content::read(file, range, self.encoding, &place.path)
    }

    fn range(&self, allowed: u64) -> Result<Range, Fault> {
        let most = if self.limit == 0 { allowed } else { self.limit.min(allowed) };
        match (self.head, self.tail) {
            (None, None) => Ok(Range::Bytes { offset: self.offset, most }),
            (Some(lines), None) => Ok(Range::Head { offset: self.offset, lines, most }),
            (None, Some(lines)) if self.offset == 0 => Ok(Range::Tail { lines, most }),
            _ => Err(Fault::Params("'tail' goes with neither 'head' nor 'offset'".to_owned())),
        }
    }
}

// === impl Content ===

impl Content {
    /// Reads `range` of an open file.
    pub(crate) fn read(
        file: &Regular,
        range: Range,
        encoding: Encoding,
        path: &VirtualPath,
    ) -> Result<Self, Fault> {
        let size = file.attributes.bytes;
        let part = Part::read(file, range, encoding, path)?;
        let name = path.name().unwrap_or_default();
        let mime_type = if part.offset == 0 {
            mime::of(name, &part.bytes[..part.bytes.len().min(mime::HEAD_BYTES)])
        } else {
            mime::of(name, &file.read_at(0, mime::HEAD_BYTES, path)?)
        };
        let whole = part.offset == 0 && part.bytes.len() as u64 == size;
        Ok(Self {
            path: path.to_string(),
            etag: whole.then(|| etag::of_bytes(&part.bytes)),
            offset: part.offset,
            next_offset: part.next_offset(size),
            content: encoding.encode(part.bytes, path)?,
            encoding,
            mime_type,
            size,
            modified_at: file.attributes.modified_at(),
        })
    }
}
