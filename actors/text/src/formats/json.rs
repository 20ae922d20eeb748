//! JSON and JSON lines: a block per member that is small enough to be read at once, with the keys above it as its
//! trail. A scan, not a parser: it is right for JSON, and covers every byte of what only looks like it.

use std::ops::Range;

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::Headings;

pub(crate) struct Json;

/// What is not longer stays whole: about half of what a model reads at once, in bytes.
const WHOLE_BYTES: usize = 400;

/// Members that are together not longer are one block, so that a long list of numbers is no long list of blocks.
const JOINED_BYTES: usize = 160;

/// Deeper structures are one block.
const DEPTH_MAX: usize = 16;

/// How many values there are between two questions whether to go on.
const ASKED_EVERY: usize = 16 * 1024;

impl Extract for Json {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        let text = &decoded.text;
        let mut marks = Marks::default();
        let mut headings = Headings::default();
        // Where the containers end that were divided; their members have their keys as a trail.
        let mut divided: Vec<usize> = Vec::new();
        for span in Scan::of(text, decoded.begin, limits)? {
            while divided.last().is_some_and(|end| span.bytes.start >= *end) {
                divided.pop();
                headings.leave(divided.len());
            }
            marks.mark(
                span.key.as_ref().map_or(span.bytes.start, |key| key.start),
                Shape::Record,
                headings.trail(),
            );
            if span.opens {
                let key = span.key.map_or("", |key| text[key].trim_matches('"'));
                headings.enter(divided.len(), key);
                divided.push(span.bytes.end);
            }
        }
        marks.cut(decoded, None)
    }
}

/// A value, or several short ones in a row.
struct Span {
    key: Option<Range<usize>>,
    bytes: Range<usize>,
    /// How many containers it is in.
    depth: usize,
    /// It is a container that is too long to stay whole, and what follows is in it.
    opens: bool,
}

#[derive(Default)]
struct Scan {
    spans: Vec<Span>,
    /// The containers that are open: where their spans are, or nothing for those that are too deep.
    open: Vec<Option<usize>>,
}

impl Scan {
    /// The values of a text from `at` on, in the order in which they begin.
    fn of(text: &str, mut at: usize, limits: &Limits<'_>) -> Result<Vec<Span>, Skipped> {
        let bytes = text.as_bytes();
        let mut scan = Self::default();
        let (mut key, mut count) = (None, 0_usize);
        while at < bytes.len() {
            if count.is_multiple_of(ASKED_EVERY) {
                limits.go_on()?;
            }
            count += 1;
            let begin = at;
            match bytes[at] {
                b'{' | b'[' => {
                    at += 1;
                    scan.begin(key.take(), begin);
                }
                b'}' | b']' => {
                    at += 1;
                    key = None;
                    scan.end(at);
                }
                b'"' => {
                    at = string_end(bytes, at);
                    if bytes[at..].trim_ascii_start().starts_with(b":") {
                        key = Some(begin..at);
                    } else {
                        scan.value(key.take(), begin..at);
                    }
                }
                b':' | b',' | b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                _ => {
                    let is_word = |byte: &&u8| !b"{}[]\":, \t\r\n".contains(byte);
                    at += bytes[at..].iter().take_while(is_word).count();
                    scan.value(key.take(), begin..at);
                }
            }
        }
        // A file that was cut off ends within its containers.
        while !scan.open.is_empty() {
            scan.end(bytes.len());
        }
        Ok(scan.spans)
    }

    fn begin(&mut self, key: Option<Range<usize>>, at: usize) {
        let depth = self.open.len();
        self.open.push((depth < DEPTH_MAX).then_some(self.spans.len()));
        if depth < DEPTH_MAX {
            self.spans.push(Span { key, bytes: at..at, depth, opens: true });
        }
    }

    fn end(&mut self, at: usize) {
        let Some(Some(index)) = self.open.pop() else { return };
        self.spans[index].bytes.end = at;
        if self.spans[index].bytes.len() <= WHOLE_BYTES {
            // What is in it needs no spans of its own.
            self.spans.truncate(index + 1);
            if let Some(Span { key, bytes, .. }) = self.spans.pop() {
                self.value(key, bytes);
            }
        }
    }

    fn value(&mut self, key: Option<Range<usize>>, bytes: Range<usize>) {
        let depth = self.open.len();
        if depth > DEPTH_MAX {
            return;
        }
        match self.spans.last_mut() {
            Some(last)
                if !last.opens && last.depth == depth && bytes.end - last.bytes.start <= JOINED_BYTES =>
            {
                last.bytes.end = bytes.end;
            }
            _ => self.spans.push(Span { key, bytes, depth, opens: false }),
        }
    }
}

/// Behind the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}
