//! What is asked of a file, and what comes back.

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the tokens of a text begin, in bytes, as a model's own tokenizer says; none where there is no saying.
pub type Tokenize<'a> = dyn Fn(&str) -> Option<Vec<u32>> + 'a;

/// What is known of a file before it is read, and how much of it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its name without folders: its end says what it may be.
    pub name: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// The BLAKE3 hash of the content that needs no more work.
    pub known: Option<[u8; 32]>,
    /// The longest text that is read, in bytes.
    pub text_bytes: usize,
    /// The longest document (PDF, DOCX) that is read, in bytes.
    pub document_bytes: usize,
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its media type.
    pub kind: String,
    /// The BLAKE3 hash of its bytes; none if they were not all read.
    pub hash: Option<[u8; 32]>,
    /// What it says.
    pub content: Content,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// This, in order.
    Pieces(Vec<Piece>),
    /// What is known.
    Same,
    /// Nothing that can be found, and why, in words for a person.
    Skipped(String),
}

/// A chunk of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The BLAKE3 hash of trail and text: the same text is known again wherever it stands.
    pub hash: [u8; 32],
    /// The headings above it, outermost first.
    pub trail: Vec<String>,
    /// What it says.
    pub text: String,
    /// Its first byte and the one behind its last.
    pub bytes: (u64, u64),
    /// Its first and last line, from 1; in a document with pages, pages.
    pub lines: (u32, u32),
}

/// Why a file was not read. What is wrong with the file itself is [`Content::Skipped`].
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file's bytes cannot be had.
    #[error("the disk does not give it: {0}")]
    File(#[source] io::Error),
    /// Whoever asked wants it no more.
    #[error("nobody wants it any more")]
    Stopped,
    /// What reads files cannot be started; no file's fault.
    #[error("the program that reads files cannot be started: {0}")]
    Program(String),
}

/// Reads files. Blocks while it does.
pub trait Reader: Send + Sync {
    /// Reads a file to its end, or to where there is no use in it, until `stop` says that nobody wants it.
    ///
    /// # Errors
    /// All that is no fault of the file's content.
    fn read(
        &self,
        ask: &Ask,
        file: &mut dyn io::Read,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Document, ReadError>;

    /// Gives back what it holds between two files. It can be asked again.
    fn rest(&self) {}
}
