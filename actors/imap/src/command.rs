//! A command under construction: words of ours, and strings of others that are quoted or become literals, so that
//! nothing in them can be read as a word.

use bytes::Bytes;

use crate::error::Error;

/// The longest string in quotes; servers have limits on lines and none on literals.
const QUOTED_MAX: usize = 512;

/// A command, which may hold a secret: it has no `Debug`.
pub(crate) struct Command {
    /// Its name, for messages.
    pub(crate) name: &'static str,
    /// Text up to a literal, and the literal.
    pub(crate) parts: Vec<(String, Bytes)>,
    /// What follows the last literal.
    pub(crate) rest: String,
}

impl Command {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, parts: Vec::new(), rest: name.to_owned() }
    }

    /// Words of ours, or numbers.
    pub(crate) fn words(mut self, words: &str) -> Self {
        self.space();
        self.rest.push_str(words);
        self
    }

    /// A space, but for behind an opening parenthesis.
    fn space(&mut self) {
        if !self.rest.ends_with('(') {
            self.rest.push(' ');
        }
    }

    /// The same without a space before it.
    pub(crate) fn glued(mut self, words: &str) -> Self {
        self.rest.push_str(words);
        self
    }

    /// The name of a folder, as it is on the wire.
    pub(crate) fn wire_name(mut self, wire: &str) -> Self {
        self.space();
        if is_quotable(wire.as_bytes()) {
            self.rest.push_str(&quoted(wire));
            self
        } else {
            self.literal(Bytes::copy_from_slice(wire.as_bytes()))
        }
    }

    /// A string of anybody's.
    ///
    /// # Errors
    /// It has a NUL in it, which no string of IMAP can have.
    pub(crate) fn string(mut self, text: &str) -> Result<Self, Error> {
        if text.contains('\0') {
            return Err(Error::invalid("a text to search for has a NUL character in it; leave that out"));
        }
        self.space();
        if is_quotable(text.as_bytes()) {
            self.rest.push_str(&quoted(text));
            Ok(self)
        } else {
            Ok(self.literal(Bytes::copy_from_slice(text.as_bytes())))
        }
    }

    /// Bytes as they are, right behind what there is.
    pub(crate) fn literal(mut self, bytes: Bytes) -> Self {
        let text = std::mem::take(&mut self.rest);
        self.parts.push((text, bytes));
        self
    }

    /// How many bytes of literals it has.
    pub(crate) fn literal_bytes(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

fn is_quotable(text: &[u8]) -> bool {
    text.len() <= QUOTED_MAX && text.iter().all(|b| matches!(b, b' '..=b'~'))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a server put in quotes, as the grammar hands it over, without its escapes. A literal comes the same way and has
/// none: text in which not each `\` and `"` is escaped is left as it is.
pub(crate) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '\\' => match letters.next() {
                Some(c @ ('\\' | '"')) => plain.push(c),
                _ => return text.to_owned(),
            },
            '"' => return text.to_owned(),
            c => plain.push(c),
        }
    }
    plain
}

/// UIDs as a set: `1:3,7`. Sorted, each once.
pub(crate) fn uid_set(uids: &[u32]) -> String {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    uids.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let text = |(first, last): &(u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}:{last}") }
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_are_quoted_or_literal() {
        let command = Command::new("SEARCH").words("SUBJECT").string("a \"b\\").unwrap();
        assert_eq!((command.parts.len(), command.rest.as_str()), (0, r#"SEARCH SUBJECT "a \"b\\""#));
        let command = Command::new("SEARCH").string("ä").unwrap().words("ALL");
        assert_eq!(command.parts, [("SEARCH ".to_owned(), Bytes::from("ä"))]);
        assert_eq!(command.rest, " ALL");
        assert!(Command::new("SEARCH").string("a\0b").is_err());
    }

    #[test]
    fn escapes_are_taken_away_where_there_are_any() {
        for (text, plain) in [
            ("a", "a"),
            (r#"a \"b\" \\"#, r#"a "b" \"#),
            (r#"a "b""#, r#"a "b""#),
            (r"a\b", r"a\b"),
            (r"a\", r"a\"),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }

    #[test]
    fn sets() {
        for (uids, set) in [
            (&[7, 1, 2, 3, 3][..], "1:3,7"),
            (&[5], "5"),
            (&[], ""),
            (&[u32::MAX, u32::MAX - 1], "4294967294:4294967295"),
        ] {
            assert_eq!(uid_set(uids), set);
        }
    }

    proptest! {
        /// Whatever is searched for stays one string: no line ends in the words, and the quotes are balanced.
        #[test]
        fn nothing_escapes(text in "[^\0]*", folder in any::<String>()) {
            let command = Command::new("X").string(&text).unwrap().wire_name(&folder);
            let words: String = command.parts.iter().map(|(words, _)| words.as_str()).chain([command.rest.as_str()]).collect();
            prop_assert!(words.bytes().all(|b| (b' '..=b'~').contains(&b)), "{words:?}");
            let unescaped = words.replace("\\\\", "").replace("\\\"", "");
            prop_assert_eq!(unescaped.matches('"').count() % 2, 0);
        }
    }
}
