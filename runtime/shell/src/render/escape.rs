//! Takes the teeth out of text that a server sent: a file name, a model's answer or an error message may carry
//! escape sequences that move the cursor, set the window's title or, on some terminals, type commands. Pure.

use std::fmt::Write;

use anstyle_parse::{DefaultCharAccumulator, Parser, Perform};
use unicode_width::UnicodeWidthStr;

/// Removes escape sequences and control characters from a stream of text. It remembers where it is between pieces,
/// because a sequence may be cut in two by the paging of `cat`.
#[derive(Default)]
pub(crate) struct Cleaner {
    parser: Parser<DefaultCharAccumulator>,
}

/// What the parser lets through.
struct Kept<'a>(&'a mut String);

impl Cleaner {
    /// `text` with newlines and tabs kept, and everything else that is not visible taken out.
    pub(crate) fn clean(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            self.parser.advance(&mut Kept(&mut out), byte);
        }
        out
    }
}

impl Perform for Kept<'_> {
    fn print(&mut self, c: char) {
        if !is_unfit(c) {
            self.0.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(byte.into());
        }
    }
}

/// Text of one or more lines, safe to print.
pub(crate) fn text(text: &str) -> String {
    Cleaner::default().clean(text)
}

/// Text that must stay on its line and in its place: a name, a table's cell. What would break the line, or reverse
/// its reading order (`gpj.exe`), is shown as `�`.
pub(crate) fn line(text: &str) -> String {
    let mut out = self::text(text);
    if out.contains(is_breaking) {
        out = out.chars().map(|c| if is_breaking(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    }
    out
}

/// Text with its lines broken between words, so that the terminal does not break them within.
pub(crate) fn folded(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in self::text(text).lines() {
        let mut column = 0;
        for word in line.split(' ') {
            let next = column + usize::from(column > 0) + word.width();
            match column {
                0 => {}
                _ if next > width => {
                    out.push('\n');
                    column = 0;
                }
                _ => out.push(' '),
            }
            out.push_str(word);
            column = if column == 0 { word.width() } else { next };
        }
        out.push('\n');
    }
    out
}

/// JSON text for a terminal: the encoder has escaped C0 already; DEL and C1 follow here, so that the text stays the
/// same JSON.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_unfit(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_unfit(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

fn is_breaking(c: char) -> bool {
    matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(dirty: &str, expected: &str) {
        assert_eq!(text(dirty), expected, "{dirty:?}");
    }

    #[test]
    fn plain_text_passes() {
        check("", "");
        check("a\tb\nc", "a\tb\nc");
        check("größe 日本 🦀", "größe 日本 🦀");
    }

    #[test]
    fn sequences_vanish_whole() {
        check("\x1b[31mred\x1b[0m", "red");
        check("\x1b[2J\x1b[1;1Hgone", "gone");
        check("\x1b]0;title\x07x", "x");
        check("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link");
        check("\x1bP+q544e\x1b\\x", "x");
        check("\x1b_apc\x1b\\x\x1b^pm\x1b\\y", "xy");
        check("\x1bcreset\x1b(0", "reset");
        check("\x1b[", "");
        check("\x1b", "");
    }

    #[test]
    fn other_controls_vanish() {
        check("safe\rEVIL\r\n", "safeEVIL\n");
        check("a\x08\x08b\x00\x07\x0e\x7f", "ab");
        check("\u{9b}31mc1\u{85}", "31mc1");
    }

    #[test]
    fn a_sequence_cut_in_two_is_one_sequence() {
        let mut cleaner = Cleaner::default();
        assert_eq!(cleaner.clean("a\x1b[3") + &cleaner.clean("1mb"), "ab");
    }

    #[test]
    fn a_name_keeps_to_its_line_and_direction() {
        assert_eq!(line("a\nb\tc\u{202e}gpj.exe\x1b[A"), "a\u{fffd}b\u{fffd}c\u{fffd}gpj.exe");
    }

    #[test]
    fn long_lines_are_folded_between_words() {
        assert_eq!(
            folded("one two three\n\n- x\nvery-long-word a", 9),
            "one two\nthree\n\n- x\nvery-long-word\na\n"
        );
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a": "\u{9b}31m\u{7f}\x1b\n" });
        let shown = json(&value.to_string());
        assert!(!shown.contains(is_unfit), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    /// Text that is rich in what matters here.
    fn dirty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[\\x00-\\x1f\\x7f-\\x9f]{1,4}",
            "\\x1b[\\[\\]P^_X(][0-9;?]{0,5}[a-zA-Z\\x07]?",
            "\\x1b\\[[0-9;]{0,8}[@-~]",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_unfit_comes_out(pieces in prop::collection::vec(dirty(), 0..4)) {
            let mut cleaner = Cleaner::default();
            for piece in pieces {
                let out = cleaner.clean(&piece);
                prop_assert!(!out.contains(is_unfit), "{out:?}");
                let one_line = line(&piece);
                prop_assert!(!one_line.contains(char::is_control), "{one_line:?}");
            }
        }

        #[test]
        fn text_without_controls_is_unchanged(clean in "[^\\p{Cc}]*") {
            prop_assert_eq!(text(&clean), clean);
        }
    }
}
