//! What could not be read, and on which line.

use serde::Serialize;

/// Something in a file that is not as RFC 5545 has it, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file it begins on, counted from 1; none where it is about the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What was wrong, and what became of it.
    pub what: String,
}

/// Nothing in the file is a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACalendar {
    /// There are no lines in it.
    #[error("the file is empty; a calendar begins with BEGIN:VCALENDAR")]
    Empty,
    /// There is no component in it.
    #[error(
        "line {line}: {found:?} does not begin a calendar, and nothing after it does; BEGIN:VCALENDAR is expected"
    )]
    NoComponent {
        /// The first line that says something, counted from 1.
        line: u32,
        /// How it begins.
        found: String,
    },
    /// It is larger than [`crate::Limits::bytes`].
    #[error("the file has {bytes} bytes; no more than {bytes_max} are read")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        bytes_max: usize,
    },
}

/// Problems as they are found, up to a bound.
#[derive(Debug)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    left_out: usize,
    max: usize,
}

impl Problems {
    pub(crate) fn new(max: usize) -> Self {
        Self { list: Vec::new(), left_out: 0, max }
    }

    pub(crate) fn at(&mut self, line: u32, what: impl Into<String>) {
        if self.list.len() < self.max {
            self.list.push(Problem { line: Some(line), what: what.into() });
        } else {
            self.left_out += 1;
        }
    }

    /// All of them in the order of lines, and how many there were besides.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.line);
        if self.left_out > 0 {
            self.list.push(Problem { line: None, what: format!("and {} more problems", self.left_out) });
        }
        self.list
    }
}

/// How much of a file's text a message repeats, in characters.
const QUOTED_MAX: usize = 60;

/// The beginning of a text, for a message.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
