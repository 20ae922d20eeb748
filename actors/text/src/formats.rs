//! The formats, one file each, and what they share: the trail of headings.

pub(crate) mod code;
pub(crate) mod docx;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod pdf;
pub(crate) mod plain;
pub(crate) mod settings;
pub(crate) mod table;

use crate::extract::Trail;

/// More headings within one another than this are a program's, not a person's; the inner ones are left out.
const DEPTH_MAX: usize = 12;

/// A heading that is longer is a paragraph that looks like one; it is cut here, in bytes.
const HEADING_BYTES: usize = 120;

/// The headings that are open where one reads.
#[derive(Default)]
pub(crate) struct Headings {
    open: Vec<(usize, String)>,
    trail: Trail,
}

impl Headings {
    /// A heading of this level closes all that are not above it. Levels only compare; any numbers will do.
    pub(crate) fn enter(&mut self, level: usize, name: &str) -> &Trail {
        self.leave(level);
        let name = shorten(name);
        if self.open.len() < DEPTH_MAX && !name.is_empty() {
            self.open.push((level, name));
            self.refresh();
        }
        &self.trail
    }

    /// Closes headings of this level and below.
    pub(crate) fn leave(&mut self, level: usize) -> &Trail {
        let before = self.open.len();
        while self.open.last().is_some_and(|(open, _)| *open >= level) {
            self.open.pop();
        }
        if self.open.len() != before {
            self.refresh();
        }
        &self.trail
    }

    pub(crate) fn trail(&self) -> &Trail {
        &self.trail
    }

    fn refresh(&mut self) {
        self.trail = self.open.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().into();
    }
}

/// One line, without blanks in a row, and not longer than a heading may be.
pub(crate) fn shorten(name: &str) -> String {
    let mut short = String::new();
    for word in name.split_whitespace() {
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
        if short.len() > HEADING_BYTES {
            short.truncate(short.floor_char_boundary(HEADING_BYTES));
            short.push('…');
            break;
        }
    }
    short
}

/// The lines of a text with the place where each begins; line ends are kept.
pub(crate) fn lines(text: &str, begin: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut at = begin;
    text[begin..].split_inclusive('\n').map(move |line| {
        at += line.len();
        (at - line.len(), line)
    })
}

/// How far a line is indented, in columns; a tab goes to the next eighth.
pub(crate) fn indentation(line: &str) -> usize {
    let blanks = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
    blanks.fold(0, |column, byte| if byte == b'\t' { (column / 8 + 1) * 8 } else { column + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_close_their_equals() {
        let mut headings = Headings::default();
        headings.enter(1, "A");
        headings.enter(2, "B");
        assert_eq!(headings.enter(2, " C \n D ")[..], ["A", "C D"]);
        assert_eq!(headings.enter(1, "E")[..], ["E"]);
        assert_eq!(headings.leave(0)[..], [] as [&str; 0]);
    }

    #[test]
    fn headings_are_bounded() {
        let mut headings = Headings::default();
        for level in 0..100 {
            headings.enter(level, &"ü".repeat(1000));
        }
        assert_eq!(headings.trail().len(), DEPTH_MAX);
        assert!(headings.trail().iter().all(|name| name.len() <= HEADING_BYTES + '…'.len_utf8()));
    }
}
