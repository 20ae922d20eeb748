//! One file, read: what it says, in pieces, or why nothing of it can be found.

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use text::{Extractors, HEAD_BYTES, Limits, Sizes, Skipped, Source, chunks};

use crate::db::{Piece, Read};
use crate::source::{Files, Found, Unreadable};

/// Longer than any document that is one takes; what takes longer is made to.
const TIME_MAX: Duration = Duration::from_mins(1);

/// Where the tokens of a text begin, as the model's own tokenizer says; none without a model, and then words are counted.
pub(crate) type Tokenize<'a> = dyn Fn(&str) -> Option<Vec<u32>> + 'a;

/// How files are read.
pub(crate) struct Reading {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) extractors: Extractors,
    pub(crate) sizes: Sizes,
    pub(crate) text_bytes: usize,
    pub(crate) document_bytes: usize,
}

/// What became of reading a file.
pub(crate) enum Outcome {
    /// As it is now.
    Read(Box<Read>),
    /// It has the content of this hash, which is known.
    Same(Found, [u8; 32]),
    /// It is not there.
    Gone,
    /// It changed while it was read, or the call was stopped: to be read again.
    Again,
}

impl Reading {
    /// Reads the file at `path`. `known` is the hash that needs no more work.
    pub(crate) fn read(
        &self,
        path: &str,
        known: &dyn Fn(&[u8; 32]) -> bool,
        tokenize: &Tokenize<'_>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Outcome {
        let (mut file, found) = match self.files.open(path) {
            Ok(opened) => opened,
            Err(Unreadable::Gone) => return Outcome::Gone,
            Err(Unreadable::Other(why)) => {
                let found = Found { path: path.to_owned(), identity: (0, 0), bytes: 0, modified_ns: 0 };
                return skipped(found, None, "", &why);
            }
        };
        let until = Instant::now() + TIME_MAX;
        let stop = || stop() || Instant::now() > until;
        let limits = Limits {
            text_bytes: self.text_bytes,
            document_bytes: self.document_bytes,
            stop: &stop,
            ..Limits::default()
        };
        let mut bytes = Vec::new();
        if let Err(error) = file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes) {
            return skipped(found, None, "", &unreadable(&error));
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let kind = match self.extractors.look(name, &bytes, found.bytes, &limits) {
            Ok(kind) => kind,
            Err(why) => {
                return skipped(found, None, text::content_type(name, &bytes), &why.to_string());
            }
        };
        let most = self.text_bytes.max(self.document_bytes) as u64;
        bytes.reserve(usize::try_from(found.bytes.min(most)).unwrap_or_default());
        if let Err(error) = file.by_ref().take(most).read_to_end(&mut bytes) {
            return skipped(found, None, kind, &unreadable(&error));
        }
        // A file that somebody writes to has half of two contents; it is read again when they are done.
        match self.files.look(&file, path) {
            Ok(now) if (now.bytes, now.modified_ns) == (found.bytes, found.modified_ns) => {}
            Ok(_) => return Outcome::Again,
            Err(_) => return Outcome::Gone,
        }
        let hash: [u8; 32] = blake3::hash(&bytes).into();
        if known(&hash) {
            return Outcome::Same(found, hash);
        }
        match self.pieces(kind, &bytes, tokenize, &limits) {
            Ok(pieces) => Outcome::Read(Box::new(read(found, Some(hash), kind, None, pieces))),
            Err(Skipped::Stopped) if Instant::now() < until => Outcome::Again,
            Err(why) => skipped(found, Some(hash), kind, &why.to_string()),
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
        Ok(pieces
            .into_iter()
            .map(|chunk| {
                let trail = chunk.trail.join(TRAIL_SEPARATOR);
                let mut hasher = blake3::Hasher::new();
                hasher.update(trail.as_bytes()).update(b"\0").update(chunk.text.as_bytes());
                let pages = chunk.pages.as_ref().unwrap_or(&chunk.lines);
                Piece {
                    hash: hasher.finalize().into(),
                    trail,
                    text: chunk.text.to_owned(),
                    bytes: (chunk.bytes.start as u64, chunk.bytes.end as u64),
                    lines: (pages.start, pages.end.saturating_sub(1)),
                }
            })
            .collect())
    }
}

/// Between headings. What is not in a heading itself.
pub(crate) const TRAIL_SEPARATOR: &str = " \u{203a} ";

/// About so many bytes are a token of English; without a tokenizer that is near enough.
const BYTES_PER_TOKEN: usize = 4;

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => "the disk does not give it".to_owned(),
    }
}

fn skipped(found: Found, hash: Option<[u8; 32]>, kind: &str, why: &str) -> Outcome {
    Outcome::Read(Box::new(read(found, hash, kind, Some(why.to_owned()), Vec::new())))
}

fn read(
    found: Found,
    hash: Option<[u8; 32]>,
    kind: &str,
    skipped: Option<String>,
    pieces: Vec<Piece>,
) -> Read {
    let Found { path, identity, bytes, modified_ns } = found;
    // A format of text with nothing in it.
    let skipped = skipped.or_else(|| pieces.is_empty().then(|| Skipped::Empty.to_string()));
    Read { path, identity, bytes, modified_ns, hash, kind: kind.to_owned(), skipped, pieces }
}

/// What is kept of a file whose reader failed.
pub(crate) fn failed(found: Found) -> Outcome {
    skipped(found, None, "", "it could not be read; the log says why")
}
