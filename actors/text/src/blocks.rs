//! The two ways to make blocks: cutting a text where its parts begin, and writing a text part by part.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decode::Decoded;
use crate::extract::{Block, Extracted, Limits, Offsets, Shape, Trail};
use crate::{Skipped, formats::shorten};

/// So many blocks one file has at most; what follows is in the last one. A file of 16 MB that needs more is made of
/// lines of a few bytes, and each block costs a hundred.
const BLOCKS_MAX: usize = 200_000;

/// Neighbours of one kind are joined until they are so long, in bytes: a quarter of a chunk, which is what may be cut
/// or joined without anybody noticing.
const JOINED_BYTES: usize = 160;

/// Where the parts of a text begin that is kept as it is. What precedes the first mark is in the first block.
#[derive(Default)]
pub(crate) struct Marks {
    marks: Vec<(usize, Shape, Trail)>,
}

impl Marks {
    /// A block begins at `at`. A second one at the same place replaces the first, and one that comes too late is
    /// ignored: its text is in another block then.
    pub(crate) fn mark(&mut self, at: usize, shape: Shape, trail: &Trail) {
        if let Some((last, last_shape, last_trail)) = self.marks.last_mut() {
            let joined = at - (*last).min(at) < JOINED_BYTES
                && *last_shape == shape
                && shape != Shape::Heading
                && last_trail == trail;
            if at < *last || joined {
                return;
            }
            if at == *last {
                (*last_shape, *last_trail) = (shape, Arc::clone(trail));
                return;
            }
        }
        if self.marks.len() < BLOCKS_MAX {
            self.marks.push((at, shape, Arc::clone(trail)));
        }
    }

    /// The blocks, without blanks around them; those of blanks alone are none.
    pub(crate) fn cut(self, decoded: Decoded<'_>, title: Option<String>) -> Result<Extracted<'_>, Skipped> {
        let Decoded { text, offsets, begin: first } = decoded;
        let mut blocks = Vec::with_capacity(self.marks.len());
        let mut marks = self.marks.into_iter().enumerate().peekable();
        while let Some((index, (at, shape, trail))) = marks.next() {
            let begin = if index == 0 { first } else { at };
            let end = marks.peek().map_or(text.len(), |(_, (next, ..))| *next);
            let kept = text[begin..end].trim_end();
            let end = begin + kept.len();
            let begin = end - kept.trim_start().len();
            if begin < end {
                blocks.push(Block { bytes: begin..end, shape, trail, page: None });
            }
        }
        if blocks.is_empty() {
            return Err(Skipped::Empty);
        }
        let title = title.map(|title| shorten(&title)).filter(|title| !title.is_empty());
        Ok(Extracted { text, offsets, blocks, title, cut: None })
    }
}

/// Writes the text of a format that has its letters between other things.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
    blocks: Vec<Block>,
    cut: Option<String>,
}

impl Writer {
    /// Adds a block; false when no more text is wanted, which [`Extracted::cut`] then says.
    pub(crate) fn block(
        &mut self,
        text: &str,
        shape: Shape,
        trail: &Trail,
        page: Option<u32>,
        limits: &Limits<'_>,
    ) -> bool {
        let text = text.trim();
        if text.is_empty() {
            return self.cut.is_none();
        }
        if self.text.len() + text.len() > limits.text_bytes {
            self.leave_out(format!(
                "only the first {} MB of its text",
                limits.text_bytes.div_ceil(1024 * 1024)
            ));
            return false;
        }
        let blocks = self.blocks.len();
        if let Some(last) = self.blocks.last_mut() {
            // Rows stay together; anything else is set off by a blank line, as on paper.
            let rows = last.shape == Shape::Record && shape == Shape::Record && last.trail == *trail;
            self.text.push_str(if rows { "\n" } else { "\n\n" });
            if blocks >= BLOCKS_MAX || (rows && last.bytes.len() < JOINED_BYTES && last.page == page) {
                self.text.push_str(text);
                last.bytes.end = self.text.len();
                return true;
            }
        }
        let begin = self.text.len();
        self.text.push_str(text);
        self.blocks.push(Block { bytes: begin..self.text.len(), shape, trail: Arc::clone(trail), page });
        true
    }

    /// Notes what is not in the text; the first reason stands.
    pub(crate) fn leave_out(&mut self, what: String) {
        self.cut.get_or_insert(what);
    }

    /// What was written; `empty` says why that is nothing.
    pub(crate) fn finish(
        self,
        title: Option<String>,
        empty: impl FnOnce() -> Skipped,
    ) -> Result<Extracted<'static>, Skipped> {
        if self.blocks.is_empty() {
            return Err(empty());
        }
        let title = title.map(|title| shorten(&title)).filter(|title| !title.is_empty());
        let (text, blocks, cut) = (Cow::Owned(self.text), self.blocks, self.cut);
        Ok(Extracted { text, offsets: Offsets::Extracted, blocks, title, cut })
    }
}
