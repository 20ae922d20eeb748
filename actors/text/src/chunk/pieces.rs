//! Blocks cut into pieces that a chunk can hold: at blank lines, then sentences or lines, then words, then anywhere.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{Sizes, Tokens};
use crate::Skipped;
use crate::extract::{Extracted, Limits, Shape};

/// Fewer tokens than this cannot hold every character of every tokenizer.
pub(super) const TOKENS_MIN: usize = 8;

/// More bytes than this for each token are no text that a tokenizer understands: it counts a word of any length as one
/// that it does not know. Words of European languages have 4 to 6.
const TOKEN_BYTES: usize = 10;

/// Words are counted together up to this length, in bytes, because counting costs something for each call.
const WORDS_BYTES: usize = 64;

/// Part of a block.
pub(super) struct Piece {
    pub(super) bytes: Range<usize>,
    /// How many tokens it has, or what stands for them in a text that the tokenizer does not understand.
    pub(super) tokens: usize,
    pub(super) block: usize,
}

/// Where a text may be cut.
#[derive(Clone, Copy)]
enum Cut {
    Paragraphs,
    Sentences,
    Lines,
    Words,
    Word,
    Anywhere,
}

const PROSE: &[Cut] = &[Cut::Paragraphs, Cut::Sentences, Cut::Lines, Cut::Words, Cut::Word, Cut::Anywhere];
const LINES: &[Cut] = &[Cut::Paragraphs, Cut::Lines, Cut::Sentences, Cut::Words, Cut::Word, Cut::Anywhere];

/// The pieces of all blocks, none longer than the aim.
pub(super) fn pieces(
    extracted: &Extracted<'_>,
    sizes: Sizes,
    tokens: &dyn Tokens,
    limits: &Limits<'_>,
) -> Result<Vec<Piece>, Skipped> {
    let mut cutting =
        Cutting { text: &extracted.text, aim: sizes.aim, tokens, limits, block: 0, pieces: Vec::new() };
    for (index, block) in extracted.blocks.iter().enumerate() {
        cutting.block = index;
        let cuts = if matches!(block.shape, Shape::Prose | Shape::Heading) { PROSE } else { LINES };
        cutting.cut(block.bytes.clone(), cuts)?;
    }
    Ok(cutting.pieces)
}

struct Cutting<'a> {
    text: &'a str,
    aim: usize,
    tokens: &'a dyn Tokens,
    limits: &'a Limits<'a>,
    block: usize,
    pieces: Vec<Piece>,
}

impl Cutting<'_> {
    /// Adds a part of the text, cut where the first of `cuts` that helps says.
    fn cut(&mut self, bytes: Range<usize>, cuts: &[Cut]) -> Result<(), Skipped> {
        let bytes = trimmed(self.text, bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.len() <= self.aim * TOKEN_BYTES {
            self.limits.go_on()?;
            let tokens = self.tokens.count(&self.text[bytes.clone()]);
            if tokens <= self.aim {
                self.push(bytes, tokens);
                return Ok(());
            }
        }
        let text = self.text;
        let part = &text[bytes.clone()];
        let Some((cut, cuts)) = cuts.split_first() else { return Ok(()) };
        let mut at = bytes.start;
        let mut add = |length: usize| {
            let begin = at;
            at += length;
            self.cut(begin..at, cuts)
        };
        match cut {
            Cut::Paragraphs => paragraphs(part).try_for_each(add),
            Cut::Sentences => sentences(part).try_for_each(add),
            Cut::Lines => part.split_inclusive('\n').map(str::len).try_for_each(add),
            Cut::Words => words(part).try_for_each(add),
            Cut::Word => part.split_word_bounds().map(str::len).try_for_each(&mut add),
            Cut::Anywhere => self.anywhere(bytes),
        }
    }

    fn push(&mut self, bytes: Range<usize>, tokens: usize) {
        let tokens = tokens.max(bytes.len() / TOKEN_BYTES);
        self.pieces.push(Piece { bytes, tokens, block: self.block });
    }

    /// Cuts a text that has nothing to cut at: as much as fits, again and again.
    fn anywhere(&mut self, bytes: Range<usize>) -> Result<(), Skipped> {
        let mut begin = bytes.start;
        while begin < bytes.end {
            self.limits.go_on()?;
            let mut length = (bytes.end - begin).min(self.aim * TOKEN_BYTES);
            loop {
                let rest = &self.text[begin..bytes.end];
                let first = rest.chars().next().map_or(1, char::len_utf8);
                length = rest.floor_char_boundary(length).max(first);
                let tokens = self.tokens.count(&rest[..length]);
                if tokens <= self.aim || length == first {
                    let bytes = trimmed(self.text, begin..begin + length);
                    if !bytes.is_empty() {
                        self.push(bytes, tokens);
                    }
                    break;
                }
                length = (length * self.aim / tokens).clamp(length / 8, length - 1);
            }
            begin += length;
        }
        Ok(())
    }
}

/// A range without the blanks at its ends.
fn trimmed(text: &str, bytes: Range<usize>) -> Range<usize> {
    let kept = text[bytes.clone()].trim_end();
    let end = bytes.start + kept.len();
    end - kept.trim_start().len()..end
}

/// The lengths of paragraphs, each with the blank lines behind it.
fn paragraphs(text: &str) -> impl Iterator<Item = usize> {
    let mut lines = text.split_inclusive('\n').peekable();
    std::iter::from_fn(move || {
        let mut length = lines.next()?.len();
        let mut blank = false;
        while let Some(line) = lines.next_if(|line| !blank || line.trim().is_empty()) {
            blank |= line.trim().is_empty();
            length += line.len();
        }
        Some(length)
    })
}

/// The lengths of sentences. The end of a line is none, as Unicode has it, unless the sentence ends there.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = usize> {
    let mut parts = text.split_sentence_bounds().peekable();
    std::iter::from_fn(move || {
        let mut part = parts.next()?;
        let mut length = part.len();
        while !is_sentence(part) {
            let Some(next) = parts.next() else { break };
            part = next;
            length += part.len();
        }
        Some(length)
    })
}

fn is_sentence(part: &str) -> bool {
    let end = |c: char| matches!(c, '.' | '!' | '?' | '…' | ':' | ';' | '。' | '！' | '？' | '।' | '؟' | '۔');
    let closing =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』');
    !part.ends_with(['\n', '\r']) || part.trim_end_matches(closing).ends_with(end)
}

/// The lengths of some words together.
fn words(text: &str) -> impl Iterator<Item = usize> {
    let mut words = text.split_word_bounds().map(str::len).peekable();
    std::iter::from_fn(move || {
        let mut length = words.next()?;
        while let Some(more) = words.next_if(|more| length + more <= WORDS_BYTES) {
            length += more;
        }
        Some(length)
    })
}
