//! Search criteria in a person's own words (`OR FROM "ada" (UNSEEN LARGER 5000)`), read into words, strings and
//! parentheses before any of it is sent: whatever is written, it stays within one search.

use crate::command::Command;
use crate::error::Error;

/// How long criteria may be, in bytes: servers take lines of 8 kB (RFC 7162, section 4).
const BYTES_MAX: usize = 4096;

/// A search in the words of RFC 3501, section 6.4.4. What the words mean, the server alone knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Word(String),
    Text(String),
    Open,
    Close,
}

impl Criteria {
    /// Reads criteria as a person writes them. Texts in quotes may have any characters in them.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it is empty or too long, a quote or a parenthesis has no other half, or a character outside
    /// of quotes is in no word of a search: `{`, which begins a literal, `%`, a line's end.
    pub fn read(text: &str) -> Result<Self, Error> {
        if text.len() > BYTES_MAX {
            return Err(wrong(format!("are longer than {BYTES_MAX} bytes")));
        }
        let mut letters = text.chars().peekable();
        let (mut pieces, mut open) = (Vec::new(), 0_usize);
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                ' ' => continue,
                '(' => {
                    open += 1;
                    Piece::Open
                }
                ')' => {
                    open = open.checked_sub(1).ok_or_else(|| wrong("close more ( than they open"))?;
                    if pieces.last() == Some(&Piece::Open) {
                        return Err(wrong("have nothing between ( and )"));
                    }
                    Piece::Close
                }
                '"' => Piece::Text(quoted(&mut letters)?),
                first => {
                    let mut word = String::from(first);
                    while let Some(next) = letters.next_if(|next| !matches!(next, ' ' | '(' | ')' | '"')) {
                        word.push(next);
                    }
                    if let Some(odd) = word.chars().find(|letter| !is_of_a_word(*letter)) {
                        return Err(wrong(format!("have a '{}' outside of quotes", odd.escape_debug())));
                    }
                    Piece::Word(word)
                }
            });
        }
        match (pieces.is_empty(), open) {
            (true, _) => Err(wrong("are empty")),
            (false, 0) => Ok(Self(pieces)),
            (false, _) => Err(wrong("leave a ( open")),
        }
    }

    /// Whether a text in it is not ASCII.
    pub(crate) fn needs_utf8(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Text(text) if !text.is_ascii()))
    }

    /// Puts it behind `command`, in parentheses.
    pub(crate) fn write(&self, command: Command) -> Result<Command, Error> {
        let command = self.0.iter().try_fold(command.words("("), |command, piece| match piece {
            Piece::Word(word) => Ok(command.words(word)),
            Piece::Text(text) => command.string(text),
            Piece::Open => Ok(command.words("(")),
            Piece::Close => Ok(command.glued(")")),
        })?;
        Ok(command.glued(")"))
    }
}

/// The rest of a text behind its first quote, without escapes.
fn quoted(letters: &mut impl Iterator<Item = char>) -> Result<String, Error> {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(text),
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
    Err(wrong("leave a \" open"))
}

/// What an atom or a set of numbers is made of (RFC 3501, section 9), less what could begin a literal.
fn is_of_a_word(letter: char) -> bool {
    letter.is_ascii_graphic() && !matches!(letter, '{' | '}' | '%' | '\\')
}

fn wrong(what: impl std::fmt::Display) -> Error {
    Error::invalid(format!(
        "the criteria {what}; write them as IMAP does: OR FROM \"ada\" (UNSEEN LARGER 5000)"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words as they are sent, with every literal shown as `{text}`.
    fn sent(text: &str) -> Result<String, Error> {
        let command = Criteria::read(text)?.write(Command::new("S"))?;
        let literals =
            command.parts.iter().map(|(words, text)| format!("{words}{{{}}}", String::from_utf8_lossy(text)));
        Ok(literals.collect::<String>() + &command.rest)
    }

    #[test]
    fn criteria_as_servers_read_them() {
        for (text, expected) in [
            ("UNSEEN", "S (UNSEEN)"),
            ("  OR FROM \"ada\"   (UNSEEN LARGER 5)", "S (OR FROM \"ada\" (UNSEEN LARGER 5))"),
            ("SUBJECT \"a\\\"b\\\\\"", "S (SUBJECT \"a\\\"b\\\\\")"),
            ("SUBJECT \"Grüße\" UID 1:5,9:*", "S (SUBJECT {Grüße} UID 1:5,9:*)"),
            ("((SEEN)(DRAFT))", "S (((SEEN) (DRAFT)))"),
            ("BODY \"a\r\nA2 LOGOUT\"", "S (BODY {a\r\nA2 LOGOUT})"),
        ] {
            assert_eq!(sent(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_are_no_criteria() {
        let long = "A".repeat(BYTES_MAX + 1);
        for (text, said) in [
            ("", "are empty"),
            ("  ", "are empty"),
            ("ALL\r\nA2 LOGOUT", "have a '\\r' outside"),
            ("FROM {3}", "have a '{' outside"),
            ("FROM ä", "have a 'ä' outside"),
            ("ALL) LOGOUT (", "close more ( than they open"),
            ("(ALL", "leave a ( open"),
            ("FROM \"a", "leave a \" open"),
            ("FROM \"a\\", "leave a \" open"),
            ("FROM \"a\0\"", "NUL"),
            ("()", "nothing between"),
            (&long, "longer than"),
        ] {
            let error = sent(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        /// Anything is refused, or stays between its parentheses on one line.
        #[test]
        fn nothing_escapes(text in r#"[A-Z1-9 ()"\\{}*ä\r\n\x00]{0,40}"#) {
            let Ok(criteria) = Criteria::read(&text) else { return Ok(()) };
            let Ok(command) = criteria.write(Command::new("S")) else { return Ok(()) };
            let words: String =
                command.parts.iter().map(|(words, _)| words.as_str()).chain([command.rest.as_str()]).collect();
            prop_assert!(words.bytes().all(|b| (b' '..=b'~').contains(&b)), "{words:?}");
            let bare = words.replace("\\\\", "").replace("\\\"", "");
            let bare: String = bare.split('"').step_by(2).collect();
            prop_assert!(!bare.contains('{'), "{bare:?}");
            let inner = bare.strip_prefix("S (").and_then(|bare| bare.strip_suffix(')'));
            let inner = inner.expect("it is in parentheses");
            let depth = inner.chars().try_fold(0_i32, |depth, letter| match letter {
                '(' => Some(depth + 1),
                ')' if depth == 0 => None,
                ')' => Some(depth - 1),
                _ => Some(depth),
            });
            prop_assert_eq!(depth, Some(0), "{:?}", inner);
        }
    }
}
