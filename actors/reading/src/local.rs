//! Reading in the process that it is called in: what the process beside the daemon does, and tests.

use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use text::{Extractors, HEAD_BYTES, Limits, Sizes, Skipped, Source, chunks};

use crate::document::{Ask, Content, Document, Piece, ReadError, Reader, Tokenize};

/// Longer than any document that is one takes; what takes longer is made to.
const TIME_MAX: Duration = Duration::from_mins(1);

/// About so many bytes are a token of English; without a tokenizer that is near enough.
const BYTES_PER_TOKEN: usize = 4;

/// Between headings where they are one text. What is not in a heading itself.
const TRAIL_SEPARATOR: &str = " \u{203a} ";

/// Readers of all formats, and the size of a chunk.
#[derive(Default)]
pub struct Local {
    extractors: Extractors,
    sizes: Sizes,
}

impl Reader for Local {
    fn read(
        &self,
        ask: &Ask,
        file: &mut dyn io::Read,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Document, ReadError> {
        let mut bytes = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(ReadError::File)?;
        let kind = match self.look(ask, &bytes) {
            Ok(kind) => kind,
            Err(skipped) => return Ok(skipped),
        };
        file.take(most(ask)).read_to_end(&mut bytes).map_err(ReadError::File)?;
        self.rest_of(ask, kind, &bytes, &|_| None, stop).ok_or(ReadError::Stopped)
    }
}

/// The most that is read of a file; one byte more than may be, so that what grew is known.
pub(crate) fn most(ask: &Ask) -> u64 {
    ask.text_bytes.max(ask.document_bytes) as u64 + 1
}

impl Local {
    /// The kind of a file that begins with `head`, if there is use in the rest of it.
    pub(crate) fn look(&self, ask: &Ask, head: &[u8]) -> Result<&'static str, Document> {
        let limits = limits(ask, &|| false);
        self.extractors.look(&ask.name, head, ask.bytes, &limits).map_err(|why| Document {
            kind: text::content_type(&ask.name, head).to_owned(),
            hash: None,
            content: Content::Skipped(why.to_string()),
        })
    }

    /// What a file says, all of which is in `bytes`; none when it was stopped.
    pub(crate) fn rest_of(
        &self,
        ask: &Ask,
        kind: &'static str,
        bytes: &[u8],
        tokenize: &Tokenize<'_>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Document> {
        let hash: [u8; 32] = blake3::hash(bytes).into();
        let document = |content| Some(Document { kind: kind.to_owned(), hash: Some(hash), content });
        if ask.known == Some(hash) {
            return document(Content::Same);
        }
        let until = Instant::now() + TIME_MAX;
        let over = || stop() || Instant::now() > until;
        match self.pieces(kind, bytes, tokenize, &limits(ask, &over)) {
            // A format of text with nothing in it.
            Ok(pieces) if pieces.is_empty() => document(Content::Skipped(Skipped::Empty.to_string())),
            Ok(pieces) => document(Content::Pieces(pieces)),
            Err(Skipped::Stopped) if Instant::now() < until => None,
            Err(why) => document(Content::Skipped(why.to_string())),
        }
    }

    fn pieces(
        &self,
        content_type: &str,
        bytes: &[u8],
        tokenize: &Tokenize<'_>,
        limits: &Limits<'_>,
    ) -> Result<Vec<Piece>, Skipped> {
        let extracted = self.extractors.extract(&Source { content_type, bytes }, limits)?;
        let whole: &str = &extracted.text;
        let begins = tokenize(whole);
        let base = whole.as_ptr().addr();
        // What is counted is always a part of the whole text, whose tokens are known; where it begins in it is where it
        // lies in memory.
        let count = |part: &str| match &begins {
            Some(begins) => {
                let first = part.as_ptr().addr().saturating_sub(base);
                let at = |byte: usize| begins.partition_point(|begin| (*begin as usize) < byte);
                at(first + part.len()) - at(first)
            }
            None => part.len().div_ceil(BYTES_PER_TOKEN),
        };
        let pieces = chunks(&extracted, self.sizes, &count, limits)?;
        Ok(pieces.iter().map(piece).collect())
    }
}

fn piece(chunk: &text::Chunk<'_>) -> Piece {
    let mut hasher = blake3::Hasher::new();
    hasher.update(chunk.trail.join(TRAIL_SEPARATOR).as_bytes()).update(b"\0").update(chunk.text.as_bytes());
    let pages = chunk.pages.as_ref().unwrap_or(&chunk.lines);
    Piece {
        hash: hasher.finalize().into(),
        trail: chunk.trail.to_vec(),
        text: chunk.text.to_owned(),
        bytes: (chunk.bytes.start as u64, chunk.bytes.end as u64),
        lines: (pages.start, pages.end.saturating_sub(1)),
    }
}

fn limits<'a>(ask: &Ask, stop: &'a (dyn Fn() -> bool + Sync)) -> Limits<'a> {
    Limits { text_bytes: ask.text_bytes, document_bytes: ask.document_bytes, stop, ..Limits::default() }
}
