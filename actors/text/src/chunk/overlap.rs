//! Where a chunk begins that repeats the end of the one before: with a sentence or a line if one is short enough, else
//! with a word.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::Tokens;
use super::pieces::sentences;

/// How far back to look, in bytes for each token.
const TOKEN_BYTES: usize = 8;

/// The beginning of a text of which `bytes` is the part that is new: behind `previous`, where the one before begins,
/// and at most `tokens_max` tokens before the new part.
pub(super) fn start(
    text: &str,
    previous: usize,
    bytes: &Range<usize>,
    in_lines: bool,
    tokens_max: usize,
    tokens: &dyn Tokens,
) -> usize {
    let from = bytes.start.saturating_sub(tokens_max * TOKEN_BYTES).max(previous + 1);
    let from = text.ceil_char_boundary(from);
    if from >= bytes.start {
        return bytes.start;
    }
    let window = &text[from..bytes.start];
    let begins = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    // The first that fits: what begins later is shorter.
    let first = |begins: Vec<usize>| {
        let fits = |begin: &usize| tokens.count(text[*begin..bytes.start].trim_end()) <= tokens_max;
        let at = begins.partition_point(|begin| !fits(begin));
        begins.get(at).copied()
    };
    let within = |at: &usize| *at < bytes.start;
    let sentence = || {
        let ends = sentences(window).scan(from, |at, length| {
            *at += length;
            Some(*at)
        });
        first(ends.map(begins).filter(within).collect())
    };
    let line = || {
        let ends = window.match_indices('\n').map(|(at, _)| from + at + 1);
        first(ends.map(begins).filter(within).collect())
    };
    let word = || {
        let words = window.unicode_word_indices().map(|(at, _)| from + at);
        // The window may begin within a word, and a word with the blank that carries its accent.
        let is_begin = |at: &usize| *at > from && !text[*at..].starts_with(char::is_whitespace);
        first(words.filter(is_begin).collect())
    };
    let found = if in_lines { line() } else { sentence().or_else(line).or_else(word) };
    found.unwrap_or(bytes.start)
}
