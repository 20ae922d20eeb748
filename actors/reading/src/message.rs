//! What the daemon and the process that reads say to one another, in frames.
//!
//! ```text
//! daemon:  Ask, the head            the rest in frames, an empty one
//! process:              Go | Done                                    Pieces ... Done
//! ```

use serde::{Deserialize, Serialize};

use crate::document::Piece;

/// Bytes of a file that are sent at once.
pub(crate) const PART_BYTES: usize = 1024 * 1024;

/// Pieces that are sent at once: some 300 KB.
pub(crate) const PIECES: usize = 256;

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It wants the rest of the file.
    Go,
    /// More of what the file says.
    Pieces(Vec<Piece>),
    /// That was all.
    Done(Done),
}

/// A document without its pieces, which went before.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) kind: String,
    pub(crate) hash: Option<[u8; 32]>,
    pub(crate) end: End,
}

/// How it ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum End {
    Pieces,
    Same,
    Skipped(String),
}
