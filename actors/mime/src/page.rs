//! A piece of a long text, for callers that read it one after the other.

use serde::Serialize;

/// A piece of a text. Where it begins and ends is always between two characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The piece.
    pub text: String,
    /// Where it begins, in bytes. May be a little before what was asked for, at the beginning of a character.
    pub offset: usize,
    /// How long the whole is, in bytes.
    pub total: usize,
    /// Where the next piece begins, if there is one.
    pub next: Option<usize>,
}

/// The piece of `text` from byte `offset` on, with at most `max` bytes, but at least one character.
pub fn page(text: &str, offset: usize, max: usize) -> Page {
    /// The longest character of UTF-8: with less a page could be empty, and its reader would never arrive.
    const CHARACTER_BYTES: usize = 4;
    let begin = text.floor_char_boundary(offset);
    let end = text.floor_char_boundary(begin.saturating_add(max.max(CHARACTER_BYTES)));
    Page {
        text: text[begin..end].to_owned(),
        offset: begin,
        total: text.len(),
        next: (end < text.len()).then_some(end),
    }
}
