//! Where a chunk begins that repeats the end of the one before: with a sentence or line if one is short enough, else
//! with a word.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::pieces::sentences;
use super::{Sizes, Tokens};

/// How far back to look, in bytes for each token.
const TOKEN_BYTES: usize = 8;

/// The beginning of the chunk of `bytes`, behind `previous`, where the one before begins.
pub(super) fn start(
    text: &str,
    previous: usize,
    bytes: &Range<usize>,
    in_lines: bool,
    sizes: Sizes,
    tokens: &dyn Tokens,
) -> usize {
    let from =
        text.ceil_char_boundary(bytes.start.saturating_sub(sizes.overlap * TOKEN_BYTES).max(previous + 1));
    if from >= bytes.start {
        return bytes.start;
    }
    let window = &text[from..bytes.start];
    let fits = |begin: usize| {
        tokens.count(text[begin..bytes.start].trim_end()) <= sizes.overlap
            && tokens.count(&text[begin..bytes.end]) <= sizes.max
    };
    // The first that fits: what begins later is shorter.
    let first = |begins: Vec<usize>| {
        let at = begins.partition_point(|begin| !fits(*begin));
        begins.get(at).copied()
    };
    let blank = |at: &usize| text[*at..].starts_with(char::is_whitespace);
    let found = if in_lines {
        let ends = window.match_indices('\n').map(|(at, _)| from + at + 1);
        let indented = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
        first(ends.map(indented).filter(|at| *at < bytes.start).collect())
    } else {
        let ends = sentences(window).scan(from, |at, length| {
            *at += length;
            Some(*at)
        });
        first(
            ends.filter(|at| *at < bytes.start)
                .map(|at| text.len() - text[at..].trim_start().len())
                .collect(),
        )
        .filter(|at| *at < bytes.start)
        .or_else(|| {
            let begins = window.split_word_bound_indices().map(|(at, _)| from + at);
            first(begins.skip(1).filter(|at| !blank(at)).collect())
        })
    };
    found.unwrap_or(bytes.start)
}
