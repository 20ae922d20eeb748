//! Searches the lines of one open file.

use std::fs::File;
use std::io;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{
    BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkContextKind, SinkFinish, SinkMatch,
};
use protocol::Cancel;
use schemars::JsonSchema;
use serde::Serialize;

use crate::fault::Fault;
use crate::path::VirtualPath;

/// What is shown of a line; minified files have lines of megabytes.
const LINE_CHARS_MAX: usize = 500;

/// The longest line that is searched; a file with a longer one is not what a person greps for.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The largest compiled expression, in bytes: enough for every one that a person writes, too little to hurt.
const EXPRESSION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A line that matches.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Match {
    /// The file.
    path: String,
    /// The line's number, from 1.
    line: u64,
    /// The line.
    text: String,
    /// The lines before it, when `context` asked for some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    before: Vec<String>,
    /// The lines after it, when `context` asked for some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    after: Vec<String>,
}

/// The matches so far, and how many more may come.
#[derive(Debug)]
pub(crate) struct Matches {
    pub(crate) found: Vec<Match>,
    limit: usize,
    bytes_left: u64,
    context: usize,
}

/// The expression of a call.
pub(crate) fn matcher(pattern: &str, ignore_case: bool, literal: bool) -> Result<RegexMatcher, Fault> {
    RegexMatcherBuilder::new()
        .case_insensitive(ignore_case)
        .fixed_strings(literal)
        .line_terminator(Some(b'\n'))
        .size_limit(EXPRESSION_BYTES_MAX)
        .dfa_size_limit(EXPRESSION_BYTES_MAX)
        .build(pattern)
        .map_err(|error| Fault::Params(format!("'pattern' is not a regular expression: {error}")))
}

/// Adds the matches of `file` after line `after_line`. The line to go on after, once `matches` is full; a binary
/// file has no matches.
pub(crate) fn search(
    matcher: &RegexMatcher,
    file: &File,
    path: &VirtualPath,
    after_line: u64,
    matches: &mut Matches,
    cancel: &Cancel,
) -> Result<Option<u64>, Fault> {
    let mut searcher = SearcherBuilder::new()
        .line_number(true)
        .before_context(matches.context)
        .after_context(matches.context)
        .binary_detection(BinaryDetection::quit(0))
        .heap_limit(Some(LINE_BYTES_MAX))
        .build();
    let before = matches.found.len();
    let mut lines =
        Lines { path, after_line, matches, cancel, pending: Vec::new(), full_at: None, binary: false };
    // Unreadable, or a line of 8 MiB: what was found so far stands.
    let _ = searcher.search_reader(matcher, file, &mut lines);
    let (full_at, binary) = (lines.full_at, lines.binary);
    Fault::unless_cancelled(cancel)?;
    if binary {
        matches.found.truncate(before);
        return Ok(None);
    }
    Ok(full_at)
}

/// Takes matches and context lines from the searcher.
struct Lines<'l> {
    path: &'l VirtualPath,
    after_line: u64,
    matches: &'l mut Matches,
    cancel: &'l Cancel,
    /// Context before a match that is still to come.
    pending: Vec<String>,
    /// The line of the match that was the last one to fit; its context still follows.
    full_at: Option<u64>,
    binary: bool,
}

// === impl Matches ===

impl Matches {
    pub(crate) fn new(limit: usize, bytes: u64, context: usize) -> Self {
        Self { found: Vec::new(), limit, bytes_left: bytes, context }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.limit || self.bytes_left == 0
    }

    fn charge(&mut self, text: &str) {
        self.bytes_left = self.bytes_left.saturating_sub(text.len() as u64);
    }
}

// === impl Lines ===

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let line = found.line_number().unwrap_or_default();
        if self.full_at.is_some() || self.cancel.is_cancelled() {
            return Ok(false);
        }
        if line <= self.after_line {
            self.pending.clear();
            return Ok(true);
        }
        let text = shown(found.bytes());
        self.matches.charge(&text);
        self.matches.found.push(Match {
            path: self.path.to_string(),
            line,
            text,
            before: std::mem::take(&mut self.pending),
            after: Vec::new(),
        });
        if self.matches.is_full() {
            self.full_at = Some(line);
        }
        Ok(self.full_at.is_none() || self.matches.context > 0)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> io::Result<bool> {
        let text = shown(context.bytes());
        self.matches.charge(&text);
        match context.kind() {
            SinkContextKind::After => {
                let line = context.line_number().unwrap_or_default();
                if line > self.after_line
                    && let Some(last) = self.matches.found.last_mut()
                    && last.path == self.path.as_str()
                {
                    last.after.push(text);
                }
            }
            SinkContextKind::Before if self.full_at.is_some() => return Ok(false),
            SinkContextKind::Before | SinkContextKind::Other => self.pending.push(text),
        }
        Ok(!self.cancel.is_cancelled())
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        self.pending.clear();
        Ok(true)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.binary = true;
        Ok(false)
    }

    fn finish(&mut self, _: &Searcher, finish: &SinkFinish) -> io::Result<()> {
        self.binary |= finish.binary_byte_offset().is_some();
        Ok(())
    }
}

/// A line as it is shown: without its end, and not too long.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.trim_end_matches(['\n', '\r']);
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}
