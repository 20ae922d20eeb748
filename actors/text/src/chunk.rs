//! Chunks: blocks joined and split to the size that a model reads at once.
//!
//! Written here because text-splitter, which does the splitting well, knows nothing of headings above a text, of code
//! without a grammar, nor of records, and counts each text many times over, which is most of the work when a model's
//! own tokenizer counts.

mod overlap;
mod pieces;

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use crate::extract::{Block, Extracted, Limits, Shape, Trail};
use crate::{Skipped, chunk::pieces::Piece};

/// Counts tokens as the model does that reads the chunks, without what it puts around a text.
pub trait Tokens {
    /// How many tokens `text` has.
    fn count(&self, text: &str) -> usize;
}

impl<F: Fn(&str) -> usize> Tokens for F {
    fn count(&self, text: &str) -> usize {
        self(text)
    }
}

/// How long chunks are, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// A chunk is about so long where its text allows.
    pub aim: usize,
    /// No chunk is longer.
    pub max: usize,
    /// A chunk that goes on in the middle of a section repeats about so much of the one before.
    pub overlap: usize,
}

impl Default for Sizes {
    /// For all-MiniLM-L6-v2, which reads 256 tokens with the two that it puts around them.
    fn default() -> Self {
        Self { aim: 200, max: 254, overlap: 30 }
    }
}

/// A part of a text, small enough for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The text, without blanks around it: `extracted.text[bytes]`.
    pub text: &'a str,
    /// Where it is; [`Extracted::offsets`] says in what.
    pub bytes: Range<usize>,
    /// Its lines, from 1, up to but not including the end.
    pub lines: Range<u32>,
    /// The pages it begins on and goes on to, from 1, up to but not including the end; where the format has pages.
    pub pages: Option<Range<u32>>,
    /// The headings above all of it. Worth putting before the text when it is embedded.
    pub trail: Trail,
}

/// A chunk is worth one of its own from this part of the aim on; what is shorter is joined with its neighbours.
const SMALL: usize = 4;

/// Cuts a text into chunks. All of it that is not blank is in at least one, and both ends of the chunks ascend.
///
/// # Errors
/// [`Skipped::Stopped`] alone.
pub fn chunks<'a>(
    extracted: &'a Extracted<'_>,
    sizes: Sizes,
    tokens: &dyn Tokens,
    limits: &Limits<'_>,
) -> Result<Vec<Chunk<'a>>, Skipped> {
    let max = sizes.max.max(pieces::TOKENS_MIN);
    let aim = sizes.aim.clamp(pieces::TOKENS_MIN, max);
    let sizes = Sizes { aim, max, overlap: sizes.overlap.min(aim / 2) };
    let pieces = pieces::pieces(extracted, sizes, tokens, limits)?;
    let packer = Packer { extracted, sizes, tokens, pieces, counted: Cell::default() };
    packer.pack(limits)
}

struct Packer<'a, 'b, 'c> {
    extracted: &'a Extracted<'b>,
    sizes: Sizes,
    tokens: &'c dyn Tokens,
    pieces: Vec<Piece>,
    /// The last range of pieces that was counted, and its tokens: a chunk is asked for several times, counted once.
    counted: Cell<(usize, usize, usize)>,
}

impl<'a> Packer<'a, '_, '_> {
    fn pack(&self, limits: &Limits<'_>) -> Result<Vec<Chunk<'a>>, Skipped> {
        let text: &str = &self.extracted.text;
        let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line = |at: usize| {
            u32::try_from(newlines.partition_point(|newline| *newline < at)).unwrap_or(u32::MAX - 2) + 1
        };
        let mut chunks: Vec<Chunk<'a>> = Vec::new();
        let mut at = 0;
        while at < self.pieces.len() {
            limits.go_on()?;
            let end = self.end(at);
            let (first, last) = (&self.pieces[at], &self.pieces[end - 1]);
            let mut bytes = first.bytes.start..last.bytes.end;
            if let Some(previous) = chunks.last().filter(|_| self.goes_on(at)) {
                let lines = self.block(at).shape == Shape::Lines;
                let room = self.sizes.max.saturating_sub(self.count(at, end));
                let room = room.min(self.sizes.overlap);
                let start = overlap::start(text, previous.bytes.start, &bytes, lines, room, self.tokens);
                if start < bytes.start && self.tokens.count(&text[start..bytes.end]) <= self.sizes.max {
                    bytes.start = start;
                }
            }
            let pages = self.block(at).page.zip(self.block(end - 1).page);
            chunks.push(Chunk {
                text: &text[bytes.clone()],
                lines: line(bytes.start)..line(bytes.end - 1) + 1,
                pages: pages.map(|(first, last)| first..last.max(first) + 1),
                trail: self.trail(at..end),
                bytes,
            });
            at = end;
        }
        Ok(chunks)
    }

    fn block(&self, piece: usize) -> &Block {
        &self.extracted.blocks[self.pieces[piece].block]
    }

    /// Where the chunk ends that begins with piece `at`: the first piece that is not in it.
    fn end(&self, at: usize) -> usize {
        let small = self.sizes.aim / SMALL;
        let (mut end, mut sum) = (at, 0);
        let mut best: Option<(usize, usize)> = None;
        while end < self.pieces.len() {
            if end > at && self.begins_section(end) && sum >= small {
                return self.fitting(at, end);
            }
            if end > at && sum + self.pieces[end].tokens > self.sizes.aim {
                break;
            }
            if end > at && sum >= self.sizes.aim / 2 {
                let strength = self.strength(end);
                if best.is_none_or(|(_, most)| strength >= most) {
                    best = Some((end, strength));
                }
            }
            sum += self.pieces[end].tokens;
            end += 1;
        }
        if end == self.pieces.len() {
            return self.fitting(at, end);
        }
        // A small rest of the section is no chunk of its own: it comes along, or takes half with it.
        let rest = self.rest(end, small);
        if let Some((rest_end, rest)) = rest {
            if sum + rest <= self.sizes.max && self.count(at, rest_end) <= self.sizes.max {
                return rest_end;
            }
            return self.fitting(at, self.half(at, end, usize::midpoint(sum, rest)));
        }
        let end = best.filter(|(_, strength)| *strength > self.strength(end)).map_or(end, |(end, _)| end);
        self.fitting(at, end)
    }

    /// The end of the section and the tokens until there, if they are few.
    fn rest(&self, from: usize, small: usize) -> Option<(usize, usize)> {
        let (mut end, mut sum) = (from, 0);
        while end < self.pieces.len() && !(end > from && self.begins_section(end)) {
            if self.begins_section(end) {
                return None;
            }
            sum += self.pieces[end].tokens;
            if sum > small {
                return None;
            }
            end += 1;
        }
        Some((end, sum))
    }

    /// Where half of the tokens are behind, at the strongest of what is near.
    fn half(&self, at: usize, end: usize, half: usize) -> usize {
        let mut sum = 0;
        for piece in at..end {
            sum += self.pieces[piece].tokens;
            if sum >= half {
                return (piece + 1).min(end);
            }
        }
        end
    }

    /// The end, or as much less as makes the chunk fit: the tokens of a whole are not always the sum of its parts'.
    /// No heading is left at the end.
    fn fitting(&self, at: usize, end: usize) -> usize {
        let mut end = end;
        while end > at + 1 && self.count(at, end) > self.sizes.max {
            end -= 1;
        }
        if end == self.pieces.len() {
            return end;
        }
        let begin = end;
        while end > at + 1 && self.block(end - 1).shape == Shape::Heading {
            end -= 1;
        }
        // A chunk of headings alone is as it is.
        if self.block(at).shape == Shape::Heading && end == at + 1 { begin } else { end }
    }

    fn count(&self, at: usize, end: usize) -> usize {
        let (from, to, counted) = self.counted.get();
        if (from, to) == (at, end) {
            return counted;
        }
        let bytes = self.pieces[at].bytes.start..self.pieces[end - 1].bytes.end;
        let counted = self.tokens.count(&self.extracted.text[bytes]);
        self.counted.set((at, end, counted));
        counted
    }

    /// Whether a section begins with this piece.
    fn begins_section(&self, piece: usize) -> bool {
        let (before, this) = (&self.pieces[piece - 1], &self.pieces[piece]);
        if before.block == this.block {
            return false;
        }
        let (before, this) = (self.block(piece - 1), self.block(piece));
        match this.shape {
            Shape::Heading => before.shape != Shape::Heading,
            Shape::Record => false,
            Shape::Prose | Shape::Lines => before.trail != this.trail,
        }
    }

    /// How much a cut before this piece divides what belongs together: more is better.
    fn strength(&self, piece: usize) -> usize {
        if self.pieces[piece - 1].block == self.pieces[piece].block {
            return 0;
        }
        let (before, this) = (self.block(piece - 1), self.block(piece));
        if before.trail == this.trail {
            return 1;
        }
        100 - common(&before.trail, &this.trail).min(90)
    }

    /// Whether a chunk that begins with this piece continues what the one before it says.
    fn goes_on(&self, piece: usize) -> bool {
        let (before, this) = (self.block(piece - 1), self.block(piece));
        let read_on = matches!(this.shape, Shape::Prose | Shape::Lines);
        read_on && before.shape == this.shape && before.trail == this.trail
    }

    /// The trail that all pieces have; headings at the beginning count as what they are above.
    fn trail(&self, range: Range<usize>) -> Trail {
        let mut range = range;
        while range.len() > 1
            && self.block(range.start).shape == Shape::Heading
            && self.block(range.start + 1).trail.starts_with(&self.block(range.start).trail)
        {
            range.start += 1;
        }
        let first = &self.block(range.start).trail;
        let shared = range.map(|piece| common(first, &self.block(piece).trail)).min().unwrap_or_default();
        if shared == first.len() { Arc::clone(first) } else { first[..shared].into() }
    }
}

/// How many headings two trails share.
fn common(one: &Trail, other: &Trail) -> usize {
    one.iter().zip(other.iter()).take_while(|(one, other)| one == other).count()
}
