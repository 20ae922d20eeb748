//! Plain text: paragraphs, which blank lines divide; and reStructuredText's underlined headings, which many plain texts
//! have too.

use crate::Skipped;
use crate::blocks::Marks;
use crate::decode::decode;
use crate::extract::{Extract, Extracted, Limits, Shape, Source};
use crate::formats::{Headings, lines};

pub(crate) struct Plain;

/// A row of one of these under a line makes that a heading, in this order of levels.
const UNDERLINES: &str = "=-~^\"";

/// A line that is longer is no heading, in bytes.
const UNDERLINED_MAX: usize = 100;

impl Extract for Plain {
    fn extract<'a>(&self, source: &Source<'a>, limits: &Limits<'_>) -> Result<Extracted<'a>, Skipped> {
        let decoded = decode(source.bytes, None)?;
        limits.go_on()?;
        let mut headings = Headings::default();
        let mut marks = Marks::default();
        let mut after_blank = true;
        let mut lines = lines(&decoded.text, decoded.begin).peekable();
        while let Some((at, line)) = lines.next() {
            let begins = std::mem::replace(&mut after_blank, line.trim().is_empty());
            let level = lines.peek().and_then(|(_, under)| underline(line, under));
            if let Some(level) = level {
                marks.mark(at, Shape::Heading, headings.enter(level, line));
                if let Some((at, under)) = lines.next() {
                    // What follows the row is a paragraph, with or without a blank line between.
                    marks.mark(at + under.len(), Shape::Prose, headings.trail());
                }
            } else if begins {
                marks.mark(at, Shape::Prose, headings.trail());
            }
        }
        drop(lines);
        marks.cut(decoded, None)
    }
}

/// The level of the heading that `line` is by the row under it.
fn underline(line: &str, under: &str) -> Option<usize> {
    let (line, under) = (line.trim_end(), under.trim_end());
    let sign = under.chars().next()?;
    let level = UNDERLINES.find(sign)?;
    let is_row = under.len() >= 3 && under.chars().all(|c| c == sign);
    let letters = line.chars().count();
    let is_title = line.chars().any(char::is_alphanumeric) && line.len() <= UNDERLINED_MAX;
    (is_row && is_title && under.len().abs_diff(letters) <= letters / 2).then_some(level)
}
