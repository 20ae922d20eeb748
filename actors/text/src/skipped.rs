//! Why a file has no text, in words that a person understands; the sentence goes "notes.png: skipped, a picture (PNG)".

use thiserror::Error;

/// Why a file is not searched by its content. Every one is final for these bytes: trying again gives the same, but for
/// [`Skipped::Stopped`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Skipped {
    /// Its format is known, and none that text is taken out of.
    #[error("{0}")]
    Kind(String),
    /// Neither text nor a known format.
    #[error("no text in it that could be read")]
    Binary,
    /// A format of text, with nothing in it.
    #[error("no text in it")]
    Empty,
    /// Pages, and pictures on them.
    #[error("no text in it: pages that were scanned")]
    Scanned,
    /// Pages whose fonts do not say which letters their shapes are.
    #[error("no text in it that can be read: its fonts do not say which letters they draw")]
    Unreadable,
    /// It opens with a password only.
    #[error("locked with a password")]
    Locked,
    /// Larger than [`crate::Limits`] allows for its kind.
    #[error("longer than {} MB", megabytes(*.0))]
    TooLong(
        /// The limit, in bytes.
        usize,
    ),
    /// It unpacks to more than [`crate::Limits`] allows: a decompression bomb, or a very odd document.
    #[error("unpacks to more than {} MB", megabytes(*.0))]
    Bomb(
        /// The limit, in bytes.
        usize,
    ),
    /// It is not what it says it is, or was cut off.
    #[error("damaged: {0}")]
    Damaged(
        /// What the reader stumbled over.
        String,
    ),
    /// Whoever asked has no more time ([`crate::Limits::stop`]).
    #[error("reading it took too long")]
    Stopped,
}

/// A size as a person says it, of the bounds that are whole megabytes or nearly so.
fn megabytes(bytes: usize) -> usize {
    bytes.div_ceil(1024 * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        assert_eq!(Skipped::TooLong(16 * 1024 * 1024).to_string(), "longer than 16 MB");
        assert_eq!(Skipped::Kind("a picture (PNG)".to_owned()).to_string(), "a picture (PNG)");
    }
}
