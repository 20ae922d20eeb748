//! Content lines out of bytes (RFC 5545 section 3.1): unfolded, decoded, with the number of the line they begin on.
//!
//! A line is folded between bytes, not letters, so it is put together before it is decoded. Lines end in CRLF as the
//! RFC has it, in LF as many programs have it, in CR as some had it, or in CR CR LF, which is CRLF written twice over;
//! a blank line between a line and its continuation is passed over.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A content line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u32,
    pub(crate) text: String,
    /// It was not UTF-8, and was read as the letters of Western Europe.
    pub(crate) guessed: bool,
}

/// The content lines of a file.
pub(crate) struct Lines<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
    number: u32,
    /// Blank lines after the one before, which are passed over with it.
    blank: u32,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let bytes = match Encoding::for_bom(bytes) {
            Some((encoding, bom)) if encoding == UTF_8 => Cow::Borrowed(&bytes[bom..]),
            // UTF-16, as Windows' Notepad may save it.
            Some((encoding, _)) => Cow::Owned(encoding.decode(bytes).0.into_owned().into_bytes()),
            None => Cow::Borrowed(bytes),
        };
        Self { bytes, at: 0, number: 0, blank: 0 }
    }

    /// The next line as it stands in the file, without its end: from where to where.
    fn physical(&mut self) -> Option<(usize, usize)> {
        self.number = self.number.saturating_add(1 + self.blank);
        self.blank = 0;
        let begin = self.at;
        if begin == self.bytes.len() {
            return None;
        }
        let rest = &self.bytes[begin..];
        let end = begin + rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let returns = self.bytes[end..].iter().take_while(|byte| **byte == b'\r').count();
        self.at = match self.bytes.get(end + returns) {
            Some(b'\n') => end + returns + 1,
            _ => end + returns,
        };
        // Without an LF, each CR ends a line; all but the first are blank ones.
        let blank = if self.bytes.get(end + returns) == Some(&b'\n') { 0 } else { returns.saturating_sub(1) };
        self.blank = u32::try_from(blank).unwrap_or(u32::MAX);
        Some((begin, end))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut whole: Vec<u8>;
        let number = loop {
            let (begin, end) = self.physical()?;
            if begin < end {
                whole = self.bytes[begin..end].to_vec();
                break self.number;
            }
        };
        loop {
            let before = (self.at, self.number, self.blank);
            match self.physical() {
                Some((begin, end)) if begin == end => {}
                Some((begin, end)) if matches!(self.bytes[begin], b' ' | b'\t') => {
                    whole.extend_from_slice(&self.bytes[begin + 1..end]);
                }
                Some(_) => {
                    (self.at, self.number, self.blank) = before;
                    break;
                }
                None => break,
            }
        }
        let (text, guessed) = match String::from_utf8(whole) {
            Ok(text) => (text, false),
            Err(error) => {
                let bytes = error.into_bytes();
                (WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned(), true)
            }
        };
        Some(Line { number, text, guessed })
    }
}
