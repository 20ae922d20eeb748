//! Letters out of bytes: UTF-8 as it is, anything else by its byte order mark, by what it declares, or by a guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::Skipped;
use crate::extract::Offsets;

/// How much of a file the guess is made from: after a few thousand letters it does not change any more.
const GUESSED_BYTES: usize = 256 * 1024;

/// Of so many characters one may be no text, before the file is none: an odd byte is forgiven, a program is not.
const BROKEN_ONE_IN: usize = 50;

/// A text, and where its bytes are.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) offsets: Offsets,
    /// Where the text begins, behind a byte order mark.
    pub(crate) begin: usize,
}

/// The text of a file. `declared` is the name of the encoding by the file's own word, where it gives one.
pub(crate) fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Result<Decoded<'a>, Skipped> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != UTF_8) {
        return decode_as(bytes, encoding);
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return decode_as(bytes, encoding);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        return if is_broken(text) {
            Err(Skipped::Binary)
        } else {
            Ok(Decoded { text: Cow::Borrowed(text), offsets: Offsets::File, begin })
        };
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    // A page that says UTF-8 and has another encoding is common; UTF-16 it cannot be, as its word was readable.
    let declared = declared.filter(|encoding| ![UTF_8, UTF_16LE, UTF_16BE].contains(encoding));
    decode_as(bytes, declared.unwrap_or_else(|| guess(bytes)))
}

fn decode_as<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Result<Decoded<'a>, Skipped> {
    let (text, encoding, _) = encoding.decode(bytes);
    if is_broken(&text) {
        return Err(Skipped::Binary);
    }
    // Never borrowed offsets, even where the bytes happen to be the same: the decoder drops the mark.
    Ok(Decoded { text: Cow::Owned(text.into_owned()), offsets: Offsets::Decoded(encoding.name()), begin: 0 })
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let head = &bytes[..bytes.len().min(GUESSED_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(head, head.len() == bytes.len());
    // Allowed: a file of UTF-8 with one damaged byte is still that.
    detector.guess(None, Utf8Detection::Allow)
}

/// UTF-16 as old Windows programs write it: every other byte of Latin text is zero.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    /// Enough letters to tell, and few enough to look at in every file.
    const LOOKED_AT: usize = 512;
    let head = &bytes[..bytes.len().min(LOOKED_AT) & !1];
    if head.len() < 4 || bytes.len() % 2 == 1 {
        return None;
    }
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, most) = (zeros(0), zeros(1), head.len() / 2 * 7 / 10);
    match () {
        () if even == 0 && odd > most => Some(UTF_16LE),
        () if odd == 0 && even > most => Some(UTF_16BE),
        () => None,
    }
}

/// Whether this is no text: it has control characters or replacement characters that no text has in such numbers.
fn is_broken(text: &str) -> bool {
    let odd = |c: &char| {
        *c == char::REPLACEMENT_CHARACTER
            || (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{85}'))
    };
    let odd = text.chars().filter(odd).count();
    odd > 0 && odd > text.len() / BROKEN_ONE_IN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str, offsets: Offsets) {
        let decoded = decode(bytes, None).expect("this is text");
        assert_eq!((&decoded.text[decoded.begin..], decoded.offsets), (expected, offsets));
    }

    #[test]
    fn encodings_are_recognised() {
        check("naïve".as_bytes(), "naïve", Offsets::File);
        check(b"\xef\xbb\xbfna\xc3\xafve", "naïve", Offsets::File);
        check(b"\xff\xfeh\0i\0", "hi", Offsets::Decoded("UTF-16LE"));
        check(b"\xfe\xff\0h\0i", "hi", Offsets::Decoded("UTF-16BE"));
        check(b"h\0e\0l\0l\0o\0", "hello", Offsets::Decoded("UTF-16LE"));
        let french = "Où est le café près de l'hôtel ? Il a été fermé.";
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode(french);
        check(&latin, french, Offsets::Decoded("windows-1252"));
        let japanese = "日本語の文章は、改行や空白がなくても読める。東京は日本の首都である。";
        for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP] {
            check(&encoding.encode(japanese).0, japanese, Offsets::Decoded(encoding.name()));
        }
        let russian = "Все счастливые семьи похожи друг на друга.";
        check(&encoding_rs::KOI8_R.encode(russian).0, russian, Offsets::Decoded("KOI8-U"));
    }

    #[test]
    fn what_is_declared_is_believed_where_it_can_be() {
        let greek = encoding_rs::ISO_8859_7.encode("αβγ").0.into_owned();
        assert_eq!(decode(&greek, Some("iso-8859-7")).expect("text").text, "αβγ");
        assert_eq!(decode("é".as_bytes(), Some("iso-8859-7")).expect("text").text, "é");
    }

    #[test]
    fn programs_are_no_text() {
        let program: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(decode(&program, None).unwrap_err(), Skipped::Binary);
        assert_eq!(decode(&[0; 300], None).unwrap_err(), Skipped::Binary);
    }
}
