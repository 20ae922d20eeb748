//! One file, read: what it says, in pieces, or why nothing of it can be found.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use reading::{Ask, Content, Document, ReadError, Reader};

use crate::db::{Piece, Read};
use crate::source::{Files, Found, Unreadable};

/// How files are read.
pub(crate) struct Contents {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) reader: Arc<dyn Reader>,
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
    /// Nothing can be read at all.
    NoReader(String),
}

impl Contents {
    /// Reads the file at `path`. `known` is the hash that needs no more work.
    pub(crate) fn read(
        &self,
        path: &str,
        known: Option<[u8; 32]>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Outcome {
        let (file, found) = match self.files.open(path) {
            Ok(opened) => opened,
            Err(Unreadable::Gone) => return Outcome::Gone,
            Err(Unreadable::Other(why)) => {
                let found = Found { path: path.to_owned(), identity: (0, 0), bytes: 0, modified_ns: 0 };
                return skipped(found, None, "", why);
            }
        };
        let ask = Ask {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            bytes: found.bytes,
            known,
            text_bytes: self.text_bytes,
            document_bytes: self.document_bytes,
        };
        let mut reading = UntilItsEnd { file, path, files: &*self.files, at_the_end: None };
        let document = match self.reader.read(&ask, &mut reading, stop) {
            Ok(document) => document,
            Err(ReadError::Stopped) => return Outcome::Again,
            Err(ReadError::File(error)) => return skipped(found, None, "", unreadable(&error)),
            Err(error @ ReadError::Program(_)) => return Outcome::NoReader(error.to_string()),
        };
        // A file that somebody writes to has half of two contents; it is read again when they are done.
        match reading.at_the_end.unwrap_or_else(|| self.files.look(&reading.file, path)) {
            Ok(now) if (now.bytes, now.modified_ns) == (found.bytes, found.modified_ns) => {}
            Ok(_) => return Outcome::Again,
            Err(_) => return Outcome::Gone,
        }
        let Document { kind, hash, content } = document;
        match (content, hash) {
            (Content::Skipped(why), _) => skipped(found, hash, &kind, why),
            (Content::Same, Some(hash)) => Outcome::Same(found, hash),
            (Content::Same, None) => Outcome::Again,
            (Content::Pieces(pieces), _) => {
                let pieces = pieces.into_iter().map(piece).collect();
                Outcome::Read(Box::new(read(found, hash, &kind, None, pieces)))
            }
        }
    }
}

/// A file that is read, looked at when its end was read: what is done with its bytes may take longer than somebody needs
/// to change it.
struct UntilItsEnd<'a> {
    file: File,
    path: &'a str,
    files: &'a dyn Files,
    at_the_end: Option<Result<Found, Unreadable>>,
}

impl io::Read for UntilItsEnd<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        if count == 0 && !into.is_empty() {
            self.at_the_end = Some(self.files.look(&self.file, self.path));
        }
        Ok(count)
    }
}

fn piece(piece: reading::Piece) -> Piece {
    let reading::Piece { hash, trail, text, bytes, lines } = piece;
    Piece { hash, trail: trail.join(TRAIL_SEPARATOR), text, bytes, lines }
}

/// Between headings. What is not in a heading itself.
pub(crate) const TRAIL_SEPARATOR: &str = " \u{203a} ";

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => "the disk does not give it".to_owned(),
    }
}

fn skipped(found: Found, hash: Option<[u8; 32]>, kind: &str, why: String) -> Outcome {
    Outcome::Read(Box::new(read(found, hash, kind, Some(why), Vec::new())))
}

fn read(
    found: Found,
    hash: Option<[u8; 32]>,
    kind: &str,
    skipped: Option<String>,
    pieces: Vec<Piece>,
) -> Read {
    let Found { path, identity, bytes, modified_ns } = found;
    Read { path, identity, bytes, modified_ns, hash, kind: kind.to_owned(), skipped, pieces }
}

/// What is kept of a file whose reader failed.
pub(crate) fn failed(found: Found) -> Outcome {
    skipped(found, None, "", "it could not be read; the log says why".to_owned())
}
