//! Encoded words (RFC 2047) that belong together. Many senders cut a text into words inside a character, which the
//! standard forbids: each word alone is then not readable. Here such neighbours become one word, before they are read.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::Decoder;
use crate::part::Encoding;

/// One encoded word: `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
}

/// The value with neighbouring words of one charset as one.
pub(crate) fn joined(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.windows(2).any(|pair| pair == b"=?") {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    // What is left behind the last end of a word.
    let left = memchr::memmem::rfind(value, b"?=").map_or(value.len() + 1, |at| value.len() - at);
    while let Some((&first, after)) = rest.split_first() {
        // Without this, words that never end would be looked for an end each.
        if rest.len() < left {
            break;
        }
        if let Some((word, after)) = word(rest) {
            let (run, after) = run(word, after);
            write_run(&run, &mut out);
            rest = after;
        } else {
            out.push(first);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// A word and all that follow it in the same charset.
fn run<'a>(first: Word<'a>, mut rest: &'a [u8]) -> (Vec<Word<'a>>, &'a [u8]) {
    let mut words = vec![first];
    // Words that switch alphabets begin and end in ASCII; two switches in a row are an error to a decoder.
    if words[0].charset.get(..8).is_some_and(|head| head.eq_ignore_ascii_case(b"iso-2022")) {
        return (words, rest);
    }
    while let Some((next, after)) = word(rest.trim_ascii_start()) {
        if !next.charset.eq_ignore_ascii_case(words[0].charset) {
            break;
        }
        words.push(next);
        rest = after;
    }
    (words, rest)
}

fn word(bytes: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let rest = bytes.strip_prefix(b"=?")?;
    let (charset, rest) = until(rest, b'?')?;
    let ([encoding], rest) = until(rest, b'?')? else { return None };
    let is_base64 = match encoding {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    // The language behind `*` (RFC 2231 5) changes nothing here.
    let charset = charset.split(|byte| *byte == b'*').next()?;
    if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    // A question mark in the text is not allowed in Q, but written: the word ends where `?=` does.
    let end = memchr::memmem::find(rest, b"?=")?;
    Some((Word { charset, is_base64, text: &rest[..end] }, &rest[end + 2..]))
}

fn until(bytes: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    /// No charset has a name as long as this.
    const NAME_MAX: usize = 64;
    let at = bytes.iter().take(NAME_MAX).position(|byte| *byte == end)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Writes the words as one, every byte escaped, so that nothing in it can be taken for something else.
fn write_run(words: &[Word<'_>], out: &mut Vec<u8>) {
    let mut bytes = Vec::new();
    let mut base64 = Decoder::new(&Encoding::Base64);
    for word in words {
        if word.is_base64 {
            base64.push(word.text, &mut bytes);
        } else {
            let _ = std::mem::replace(&mut base64, Decoder::new(&Encoding::Base64)).finish(&mut bytes);
            q(word.text, &mut bytes);
        }
    }
    let _ = base64.finish(&mut bytes);
    let mut escaped = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        let _ = write!(escaped, "={byte:02X}");
    }
    for piece in [b"=?", words[0].charset, b"?Q?", escaped.as_bytes(), b"?="] {
        out.extend_from_slice(piece);
    }
}

/// The Q encoding (RFC 2047 4.2): quoted-printable, with `_` for a blank.
fn q(text: &[u8], out: &mut Vec<u8>) {
    let text: Vec<u8> = text.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    let mut decoder = Decoder::new(&Encoding::QuotedPrintable);
    decoder.push(&text, out);
    // A blank at the end is meant here, where there are no lines.
    let blanks = text.iter().rev().take_while(|byte| **byte == b' ').count();
    let _ = decoder.finish(out);
    out.extend(std::iter::repeat_n(b' ', blanks));
}
