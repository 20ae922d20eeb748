//! Where one response of a server ends, and whether the grammar can be let at it. Pure: bytes in, positions and verdicts
//! out.
//!
//! A response is lines, joined by literals: a line that ends in `{5}` goes on behind the next five bytes (RFC 3501, 4.3).
//! The text of a status may end in `{5}` too and means nothing by it.

use imap_proto::Response;

/// The longest response that is taken, in bytes. A folder's two million UIDs fit; pieces of messages are asked for in
/// far smaller ones.
pub(crate) const RESPONSE_MAX: usize = 16 * 1024 * 1024;

/// The deepest nesting of parentheses. Dovecot cuts messages at a hundred parts within parts; the grammar is recursive,
/// so each level takes stack.
const DEPTH_MAX: usize = 64;

/// The most that a response may have outside of literals to be let at the grammar. async-imap reads four kilobytes at a
/// time and begins anew each time: the structure of a message with a thousand parts is well below.
const TEXT_MAX: usize = 128 * 1024;

/// Finds the ends of responses in a buffer that grows.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    /// Where the line begins that is being looked at.
    line: usize,
    /// Up to where it has been looked through.
    seen: usize,
}

/// The first response is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Framer {
    /// How long the first response in `buffer` is; `None` until all of it is there. The next call begins anew where it
    /// said, and otherwise must be given the same bytes and more.
    pub(crate) fn end(&mut self, buffer: &[u8]) -> Result<Option<usize>, TooLong> {
        while let Some(rest) = buffer.get(self.seen..) {
            let Some(at) = rest.iter().position(|b| *b == b'\n') else {
                self.seen = buffer.len();
                break;
            };
            let end = self.seen + at + 1;
            self.seen = end;
            let line = &buffer[self.line..end];
            let Some(line) = line.strip_suffix(b"\r\n") else { continue };
            let literal = if may_have_literals(buffer) { literal(line) } else { None };
            match literal {
                Some(length) if length > RESPONSE_MAX => return Err(TooLong),
                Some(length) => {
                    self.line = end + length;
                    self.seen = self.line;
                }
                None => {
                    *self = Self::default();
                    return if end > RESPONSE_MAX { Err(TooLong) } else { Ok(Some(end)) };
                }
            }
        }
        if buffer.len().max(self.line) > RESPONSE_MAX { Err(TooLong) } else { Ok(None) }
    }
}

/// How long the literal is that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let brace = line.iter().rposition(|b| *b == b'{')?;
    let digits = line.get(brace + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let plain = (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// Only data has literals; a status, tagged or not, ends with its line.
fn may_have_literals(response: &[u8]) -> bool {
    response.strip_prefix(b"* ").is_some_and(|rest| status(rest).is_none())
}

/// The status word that `rest` begins with, and what follows it.
fn status(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|b| matches!(b, b' ' | b'\r')).unwrap_or(rest.len());
    let (word, text) = rest.split_at(end);
    let known: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];
    known.iter().any(|status| word.eq_ignore_ascii_case(status)).then_some((word, text))
}

/// Whether the grammar takes this response whole, and can be let at it: it panics at `]é` in a status, at a message that
/// came at no time and at names of metadata (which nobody asks for), its stack grows with every parenthesis, and what is
/// long takes it a time that grows with the square. Lists of numbers are long.
pub(crate) fn is_readable(response: &[u8]) -> bool {
    let harmless = if may_have_literals(response) {
        let Extent { depth, text, undated } = extent(response);
        let fits = depth <= DEPTH_MAX && text <= TEXT_MAX && !crate::lists::is_numbers(response);
        fits && !undated && !begins(&response[2..], b"METADATA")
    } else {
        response.len() <= TEXT_MAX && text_is_ascii(response)
    };
    harmless && matches!(Response::parse(response), Ok((rest, _)) if rest.is_empty())
}

/// Whether every `]` is followed by ASCII.
fn text_is_ascii(line: &[u8]) -> bool {
    line.windows(2).all(|pair| pair[0] != b']' || pair[1].is_ascii())
}

/// Whether `bytes` begin with this word, of whatever case.
fn begins(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// How a message says that it came at no time, which none does.
const NO_TIME: &[u8] = b"INTERNALDATE NIL";

/// What a response is like outside of its strings.
struct Extent {
    /// How deep its parentheses are nested.
    depth: usize,
    /// How much there is outside of literals.
    text: usize,
    /// Whether a message in it came at no time.
    undated: bool,
}

fn extent(response: &[u8]) -> Extent {
    let (mut depth, mut deepest, mut at, mut literals) = (0_usize, 0, 0, 0);
    let (mut in_quotes, mut undated) = (false, false);
    while let Some(&byte) = response.get(at) {
        // In quotes too: where the grammar gives one reading up, its next may see no quotes there.
        undated |= begins(&response[at..], NO_TIME);
        at += 1;
        match byte {
            b'\\' if in_quotes => {
                undated |= begins(response.get(at..).unwrap_or_default(), NO_TIME);
                at += 1;
            }
            b'"' => in_quotes = !in_quotes,
            b'(' if !in_quotes => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' if !in_quotes => depth = depth.saturating_sub(1),
            b'\n' => {
                let line = response.get(..at).and_then(|line| line.strip_suffix(b"\r\n"));
                let length = line.and_then(literal).unwrap_or(0);
                at += length;
                literals += length;
                in_quotes = false;
            }
            _ => {}
        }
    }
    Extent { depth: deepest, text: response.len().saturating_sub(literals), undated }
}

/// A status or a continuation that the grammar does not take, in words that it takes; `None` for data.
pub(crate) fn repaired(response: &[u8]) -> Option<Vec<u8>> {
    let line = response.strip_suffix(b"\r\n")?;
    if line.starts_with(b"+") {
        return Some(b"+ \r\n".to_vec());
    }
    let space = line.iter().position(|b| *b == b' ')?;
    let (tag, rest) = (&line[..space], &line[space + 1..]);
    let tag_fits = tag == b"*" || (!tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric));
    let (word, text) = tag_fits.then(|| status(rest)).flatten()?;
    let ascii: Vec<u8> = text.iter().map(|b| if (b' '..=b'~').contains(b) { *b } else { b'?' }).collect();
    let ascii = ascii.get(..1000).unwrap_or(&ascii);
    let with = |text: &[u8]| [tag, b" ", word, text, b"\r\n"].concat();
    Some(with(ascii))
        .filter(|line| is_readable(line))
        .or_else(|| Some(with(b"")))
        .filter(|line| is_readable(line))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Found by the fuzz target `imap`: what we take for a string the grammar reads as attributes.
    #[test]
    fn a_message_of_no_time_is_found_between_quotes_too() {
        let response = b"* 2 FETCH (BODYSTRUCTURE (\"MeSSAGE\" \"RFC822\" NIL NIL LIL \"7BIT\" 9 (\"Mon, 1 Jan 2026 00:00:00 +0\x1300\" \
            \"pe: L NIL NILFETCH (UID 3 FLAGS (\\eeSn %Work) RFC822.SIZ E99 INTERNALDATE NIL NIL \"<i@ NL NIL NIL NIL) UID 4)\r\n";
        assert!(!is_readable(response));
    }

    #[test]
    fn where_responses_end() {
        for (text, end) in [
            ("* OK hello\r\n* 1", Some(12)),
            ("* OK hello {5}\r\n12345", Some(16)),
            ("A1 NO {5}\r\n", Some(11)),
            ("* 1 FETCH (X {5}\r\na\r\nbc)\r\n", Some(26)),
            ("* 1 FETCH (X {5}\r\na\r\nbc", None),
            ("* 1 FETCH (X {3}\r\nabc Y {2}\r\nde)\r\nA", Some(34)),
            ("* 1 FETCH (X {0}\r\n)\r\n", Some(21)),
            ("* LIST () \"/\" \"a{5}\"\r\n", Some(22)),
            ("a\nb\r\n", Some(5)),
            ("", None),
        ] {
            assert_eq!(Framer::default().end(text.as_bytes()), Ok(end), "{text:?}");
        }
        let huge = format!("* 1 FETCH (X {{{}}}\r\n", RESPONSE_MAX + 1);
        assert_eq!(Framer::default().end(huge.as_bytes()), Err(TooLong));
        assert_eq!(Framer::default().end(&vec![b'x'; RESPONSE_MAX + 1]), Err(TooLong));
    }

    #[test]
    fn what_the_grammar_cannot_be_let_at() {
        let nested = |n: usize| format!("* 1 FETCH (BODYSTRUCTURE {}{})\r\n", "(".repeat(n), ")".repeat(n));
        for unreadable in [
            "* OK [ALERT]\u{e9}\r\n".to_owned(),
            nested(100_000),
            "* NONSENSE\r\n".to_owned(),
            "* CAPABILITY  IMAP4rev1\r\n".to_owned(),
            format!("* FLAGS ({})\r\n", "a ".repeat(TEXT_MAX)),
            format!("* OK {}\r\n", "a ".repeat(TEXT_MAX)),
            "* SEARCH 1\r\n".to_owned(),
            "* 1 FETCH (UID 3 InternalDate NIL)\r\n".to_owned(),
            "* METADATA \"INBOX\" (/x NIL)\r\n".to_owned(),
            "* metadata \"INBOX\" (/private/\u{e9} NIL)\r\n".to_owned(),
        ] {
            assert!(
                !is_readable(unreadable.as_bytes()),
                "{}",
                unreadable.chars().take(40).collect::<String>()
            );
        }
        assert!(is_readable(b"* 1 FETCH (UID 1 BODY[] {6}\r\n\r\n((\r\n)\r\n"), "a literal counts nothing");
        assert!(
            is_readable(b"* 1 FETCH (UID 1 BODY[] {26}\r\nMETADATA INTERNALDATE NIL\n)\r\n"),
            "nor does it say anything"
        );
        assert!(is_readable("A1 OK done é\r\n".as_bytes()));
    }

    #[test]
    fn a_status_is_always_understood() {
        for (line, expected) in [
            ("A1 OK [ALERT]\u{e9}\r\n", "A1 OK [ALERT]??\r\n"),
            ("+\u{e9}\r\n", "+ \r\n"),
            ("* BYE \u{0}\r\n", "* BYE ?\r\n"),
        ] {
            assert_eq!(
                repaired(line.as_bytes()).map(|line| String::from_utf8(line).unwrap()).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(repaired(b"* 1 FETCH (\r\n"), None);
        assert_eq!(repaired(b"* NONSENSE\r\n"), None);
    }

    /// Text that is nearly what servers say.
    fn nearly_responses() -> impl Strategy<Value = Vec<u8>> {
        let words = [
            "* ",
            "A1 ",
            "OK",
            "NO",
            "BYE",
            " ",
            "[",
            "]",
            "ALERT",
            "COPYUID 1 2 3",
            "é",
            "\r\n",
            "\n",
            "{3}\r\n",
            "{3+}\r\n",
            "(",
            ")",
            "\"",
            "\\",
            "1 FETCH ",
            "UID 1",
            "FLAGS ",
            "BODYSTRUCTURE ",
            "ENVELOPE ",
            "NIL",
            "SEARCH",
            "LIST",
            "+ ",
            "\u{0}",
            "0",
        ];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..40)
            .prop_map(|words| words.concat().into_bytes())
    }

    proptest! {
        /// However bytes are cut into pieces, the same responses come out, and looking at them never panics.
        #[test]
        fn pieces_do_not_matter(
            bytes in prop_oneof![nearly_responses(), prop::collection::vec(any::<u8>(), 0..200)],
            step in 1_usize..20,
        ) {
            let all = |step: usize| {
                let (mut framer, mut start, mut ends) = (Framer::default(), 0, Vec::new());
                let mut upto = 0;
                while upto < bytes.len() {
                    upto = (upto + step).min(bytes.len());
                    while let Ok(Some(length)) = framer.end(&bytes[start..upto]) {
                        let _ = (is_readable(&bytes[start..start + length]), repaired(&bytes[start..start + length]));
                        start += length;
                        ends.push(start);
                    }
                }
                ends
            };
            prop_assert_eq!(all(step), all(usize::MAX / 2));
        }

        /// What is repaired is readable.
        #[test]
        fn what_is_repaired_is_readable(line in nearly_responses()) {
            let line = [line.as_slice(), b"\r\n"].concat();
            if let Some(repaired) = repaired(&line) {
                prop_assert!(is_readable(&repaired));
            }
        }
    }
}
