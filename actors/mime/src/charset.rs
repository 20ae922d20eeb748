//! Letters out of bytes: by the charset that is declared where that can be, else by what the bytes are.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use mail_parser::decoders::charsets::map::charset_decoder;

/// How much the guess is made from: after some thousand letters it does not change any more.
const GUESSED_BYTES: usize = 64 * 1024;

/// A text, and what it was read as where that is not what it says.
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) instead: Option<&'static str>,
}

/// The text of a part. `declared` is its charset parameter.
pub(crate) fn read(bytes: &[u8], declared: Option<&str>) -> Read {
    let as_declared = |text: String| Read { text: without_mark(text), instead: None };
    let label = declared.map(str::trim).filter(|label| !label.is_empty() && !is_ascii(label));
    match label {
        Some(label) if !is_utf_8(label) => match charset_decoder(label.as_bytes()) {
            Some(decode) => {
                let text = decode(bytes);
                // Programs that were translated say the charset of old and write UTF-8.
                if text.contains('\u{fffd}')
                    && let Ok(text) = std::str::from_utf8(bytes)
                {
                    return Read { text: without_mark(text.to_owned()), instead: Some("UTF-8") };
                }
                // The decoder for charsets that it does not have gives this for any input.
                if text == "\u{fffd}" && bytes.len() > 3 { guessed(bytes) } else { as_declared(text) }
            }
            None => guessed(bytes),
        },
        label => match std::str::from_utf8(bytes) {
            // RFC 6657 wants a charset, but UTF-8 without one is common and cannot be mistaken.
            Ok(text) if label.is_some() || !has_escapes(bytes) => as_declared(text.to_owned()),
            Err(_) if label.is_some() && is_mostly_utf_8(bytes) => {
                let text = without_mark(String::from_utf8_lossy(bytes).into_owned());
                Read { text, instead: Some("damaged UTF-8") }
            }
            _ => guessed(bytes),
        },
    }
}

fn guessed(bytes: &[u8]) -> Read {
    if let Ok(text) = std::str::from_utf8(bytes)
        && bytes.is_ascii()
        && !has_escapes(bytes)
    {
        return Read { text: text.to_owned(), instead: None };
    }
    let encoding = guess(std::iter::once(bytes));
    let text = encoding.decode(bytes).0.into_owned();
    Read { text, instead: Some(encoding.name()) }
}

/// The likeliest encoding of some pieces of text together.
pub(crate) fn guess<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut left = GUESSED_BYTES;
    for piece in pieces {
        let piece = &piece[..piece.len().min(left)];
        left -= piece.len();
        detector.feed(piece, false);
    }
    detector.feed(&[], true);
    detector.guess(None, Utf8Detection::Allow)
}

/// Whether bytes without a charset do not say themselves what they are.
pub(crate) fn needs_guess(bytes: &[u8]) -> bool {
    has_escapes(bytes) || std::str::from_utf8(bytes).is_err()
}

/// Whether there are switches of the alphabet as ISO-2022-JP has them: `ESC $ B`, `ESC ( J`.
fn has_escapes(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\x1b$" || pair == b"\x1b(")
}

fn is_ascii(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "default", "7bit", "8bit"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
}

fn is_utf_8(label: &str) -> bool {
    ["utf-8", "utf8", "utf_8", "cp65001", "unicode-1-1-utf-8"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
}

/// Whether there are more letters of UTF-8 than bytes that are none: damaged text stays what it is.
fn is_mostly_utf_8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= bad
}

fn without_mark(text: String) -> String {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// Bytes of a header as UTF-8: as they are where they are that, else by `encoding`.
pub(crate) fn mended<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Cow<'a, [u8]> {
    if !needs_guess(bytes) {
        return Cow::Borrowed(bytes);
    }
    match encoding.decode(bytes).0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
