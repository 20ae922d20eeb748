//! What a file gives: its text, where its parts begin and end, and which headings stand above each.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::Skipped;

/// Reads one format. Implementations are pure; one that panics makes its file a damaged one.
pub trait Extract: Send + Sync {
    /// The text of `source`, cut into blocks.
    ///
    /// # Errors
    /// When there is no text, the file is damaged, or a limit is passed.
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped>;

    /// The longest file that is read, in bytes.
    fn bytes_max(&self, limits: &Limits<'_>) -> usize {
        limits.text_bytes
    }
}

/// A file to read: all of its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its media type, as [`crate::content_type()`] tells it.
    pub content_type: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What reading one file may cost.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// The longest file of text that is read, and the most text that is taken out of a document, in bytes.
    pub text_bytes: usize,
    /// The longest document (PDF, DOCX) that is read, in bytes: most of it is pictures.
    pub document_bytes: usize,
    /// The most that the packed parts of a document which hold text may unpack to, all together, in bytes.
    pub unpacked_bytes: usize,
    /// How many pages of a document are read; the rest is left out and [`Extracted::cut`] says so.
    pub pages: usize,
    /// Whether to give up: asked every few milliseconds, for a deadline or a cancelled call.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self {
            // The Bible is 4.5 MB. What is longer is a log or a dump, and has a hundred thousand chunks.
            text_bytes: 16 * 1024 * 1024,
            document_bytes: 64 * 1024 * 1024,
            // Page content is drawing commands around letters, ten to one.
            unpacked_bytes: 128 * 1024 * 1024,
            pages: 5000,
            stop: &|| false,
        }
    }
}

impl Limits<'_> {
    /// Fails when whoever asked has no more time.
    pub(crate) fn go_on(&self) -> Result<(), Skipped> {
        if (self.stop)() { Err(Skipped::Stopped) } else { Ok(()) }
    }
}

/// The headings (or functions, or keys) above a text, outermost first.
pub type Trail = Arc<[String]>;

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted<'a> {
    /// The text. Borrowed from the file's bytes where they are UTF-8 text.
    pub text: Cow<'a, str>,
    /// What the offsets of blocks and chunks count.
    pub offsets: Offsets,
    /// The parts of the text, in order and without overlap. Every character that is not blank is in one.
    pub blocks: Vec<Block>,
    /// What the document calls itself, where it says so beside its text.
    pub title: Option<String>,
    /// What was left out because of a limit, in words for a person: "only its first 5000 pages".
    pub cut: Option<String>,
}

/// What `bytes` and `lines` of a [`Block`] or a chunk count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// Bytes and lines of the file itself: `file[bytes]` is the text.
    File,
    /// Lines of the file, but bytes of its text in UTF-8; the file has this encoding.
    Decoded(
        /// The encoding's name by the Encoding Standard, such as `windows-1252`.
        &'static str,
    ),
    /// Bytes and lines of [`Extracted::text`]: the file itself has markup or is packed (HTML, PDF, DOCX).
    Extracted,
}

/// A part of a text that belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it is in [`Extracted::text`].
    pub bytes: Range<usize>,
    /// What it is, which says where it may be cut.
    pub shape: Shape,
    /// The headings above it; a heading's own block includes itself.
    pub trail: Trail,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Sentences.
    Prose,
    /// The heading of what follows; it never ends a chunk if that can be helped.
    Heading,
    /// Lines that are read from top to bottom: source code, verbatim text.
    Lines,
    /// A record that is understood without its neighbours: a row of a table, an entry of a list.
    Record,
}
