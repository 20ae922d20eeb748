//! What to search for, as a tree: whatever is in its texts, they are strings for the server and never words.

use jiff::civil::Date;

use crate::capabilities::Capabilities;
use crate::command::{Command, uid_set};
use crate::error::Error;
use crate::flags::Flag;
use crate::raw::Criteria;

/// How many conditions a query may have in all. A person types a handful; servers take lines of some kilobytes.
const CONDITIONS_MAX: usize = 256;
/// How deep they may be nested.
const DEPTH_MAX: usize = 16;

/// Which messages of a folder (RFC 3501, 6.4.4). Texts match parts of words, in any case; dates are days in the server's
/// time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// All of them.
    All,
    /// Whose sender's name or address has this text in it.
    From(String),
    /// Whose recipients' names or addresses have this text in them.
    To(String),
    /// The same for those who got a copy.
    Cc(String),
    /// The same for those who got a hidden copy, where that was kept.
    Bcc(String),
    /// Whose subject has this text in it.
    Subject(String),
    /// Whose header or body has this text in it.
    Text(String),
    /// Whose body has this text in it.
    Body(String),
    /// Whose header field of this name has this text in it; empty is any.
    Header(String, String),
    /// That came on this day or later.
    Since(Date),
    /// That came before this day.
    Before(Date),
    /// That say they were written on this day or later.
    SentSince(Date),
    /// That say they were written before this day.
    SentBefore(Date),
    /// That have this flag.
    Flag(Flag),
    /// That are larger than so many bytes.
    Larger(u32),
    /// That are smaller than so many bytes.
    Smaller(u32),
    /// That have attachments. Servers cannot be asked that, but for Google's: elsewhere it means those of the type
    /// `multipart/mixed`, which nearly all mail with attachments has, and some without.
    HasAttachment,
    /// Whose UIDs are from the first to the last, both included.
    Uids(u32, u32),
    /// That have one of these UIDs; no message where there is none.
    Among(Vec<u32>),
    /// That a person's own criteria match.
    Raw(Criteria),
    /// That all of these match; all messages where there is none.
    And(Vec<Query>),
    /// That one of these matches; no message where there is none.
    Or(Vec<Query>),
    /// That this does not match.
    Not(Box<Query>),
}

impl Query {
    /// Whether a text in it is not ASCII, so that the server must be told the charset.
    pub(crate) fn needs_utf8(&self) -> bool {
        match self {
            Self::From(text)
            | Self::To(text)
            | Self::Cc(text)
            | Self::Bcc(text)
            | Self::Subject(text)
            | Self::Text(text)
            | Self::Body(text)
            | Self::Header(_, text) => !text.is_ascii(),
            Self::And(all) | Self::Or(all) => all.iter().any(Self::needs_utf8),
            Self::Not(inner) => inner.needs_utf8(),
            Self::Raw(criteria) => criteria.needs_utf8(),
            _ => false,
        }
    }

    /// Puts it behind `command`.
    ///
    /// # Errors
    /// It is too large, or a text in it can be in no query.
    pub(crate) fn write(&self, command: Command, capabilities: &Capabilities) -> Result<Command, Error> {
        let mut left = CONDITIONS_MAX;
        self.put(command, capabilities, &mut left, DEPTH_MAX)
    }

    fn put(
        &self,
        command: Command,
        capabilities: &Capabilities,
        left: &mut usize,
        depth: usize,
    ) -> Result<Command, Error> {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| Error::invalid(format!("a query has at most {CONDITIONS_MAX} conditions")))?;
        let below = || {
            depth
                .checked_sub(1)
                .ok_or_else(|| Error::invalid(format!("a query is nested at most {DEPTH_MAX} deep")))
        };
        match self {
            Self::All => Ok(command.words("ALL")),
            Self::From(text) => command.words("FROM").string(text),
            Self::To(text) => command.words("TO").string(text),
            Self::Cc(text) => command.words("CC").string(text),
            Self::Bcc(text) => command.words("BCC").string(text),
            Self::Subject(text) => command.words("SUBJECT").string(text),
            Self::Text(text) => command.words("TEXT").string(text),
            Self::Body(text) => command.words("BODY").string(text),
            Self::Header(name, text) => command.words("HEADER").string(field(name)?)?.string(text),
            Self::Since(date) => Ok(command.words(&format!("SINCE {}", day(*date)))),
            Self::Before(date) => Ok(command.words(&format!("BEFORE {}", day(*date)))),
            Self::SentSince(date) => Ok(command.words(&format!("SENTSINCE {}", day(*date)))),
            Self::SentBefore(date) => Ok(command.words(&format!("SENTBEFORE {}", day(*date)))),
            Self::Flag(flag) => Ok(command.words(&flag.search_key()?)),
            Self::Larger(bytes) => Ok(command.words(&format!("LARGER {bytes}"))),
            Self::Smaller(bytes) => Ok(command.words(&format!("SMALLER {bytes}"))),
            Self::HasAttachment if capabilities.has("X-GM-EXT-1") => {
                command.words("X-GM-RAW").string("has:attachment")
            }
            Self::HasAttachment => Ok(command.words("HEADER Content-Type \"multipart/mixed\"")),
            Self::Uids(first, last) if first <= last && *first > 0 => {
                Ok(command.words(&format!("UID {first}:{last}")))
            }
            Self::Uids(first, last) => {
                Err(Error::invalid(format!("UIDs go from 1 up, and not from {first} to {last}")))
            }
            Self::Among(uids) if uids.is_empty() => Ok(command.words("NOT ALL")),
            Self::Among(uids) if uids.contains(&0) => Err(Error::invalid("UIDs go from 1 up")),
            Self::Among(uids) => Ok(command.words(&format!("UID {}", uid_set(uids)))),
            Self::Raw(criteria) => criteria.write(command),
            Self::And(all) if all.is_empty() => Ok(command.words("ALL")),
            Self::And(all) => {
                let depth = below()?;
                let opened = command.words("(");
                let inner = all
                    .iter()
                    .try_fold(opened, |command, query| query.put(command, capabilities, left, depth))?;
                Ok(inner.glued(")"))
            }
            Self::Or(any) => {
                let depth = below()?;
                let Some((last, first)) = any.split_last() else { return Ok(command.words("NOT ALL")) };
                let firsts = first.iter().try_fold(command, |command, query| {
                    query.put(command.words("OR"), capabilities, left, depth)
                })?;
                last.put(firsts, capabilities, left, depth)
            }
            Self::Not(inner) => inner.put(command.words("NOT"), capabilities, left, below()?),
        }
    }
}

/// The name of a header field (RFC 5322, 2.2).
fn field(name: &str) -> Result<&str, Error> {
    let fits = (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    fits.then_some(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        Error::invalid(format!(
            "'{}' is no name of a header field; write letters, digits and -",
            shown.escape_debug()
        ))
    })
}

/// A day as IMAP writes it, in English everywhere.
fn day(date: Date) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    format!("{}-{}-{:04}", date.day(), MONTHS[month.min(11)], date.year().max(0))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// The words of the query, with every literal shown as `{text}`.
    fn written(query: &Query) -> Result<String, Error> {
        let command = query.write(Command::new("S"), &Capabilities::default())?;
        let literals =
            command.parts.iter().map(|(words, text)| format!("{words}{{{}}}", String::from_utf8_lossy(text)));
        Ok(literals.collect::<String>() + &command.rest)
    }

    #[test]
    fn queries_as_servers_read_them() {
        let text = |text: &str| Query::From(text.to_owned());
        for (query, expected) in [
            (Query::All, "S ALL"),
            (text("a\" ALL"), r#"S FROM "a\" ALL""#),
            (Query::Subject("Grüße".to_owned()), "S SUBJECT {Grüße}"),
            (Query::Subject("a\r\nb".to_owned()), "S SUBJECT {a\r\nb}"),
            (Query::Header("X-Id".to_owned(), String::new()), r#"S HEADER "X-Id" """#),
            (Query::Since(date(2026, 2, 1)), "S SINCE 1-Feb-2026"),
            (Query::Flag(Flag::Seen), "S SEEN"),
            (Query::Flag(Flag::Keyword("$Important".to_owned())), "S KEYWORD $Important"),
            (Query::Not(Box::new(Query::Flag(Flag::Seen))), "S NOT SEEN"),
            (Query::Or(vec![text("a"), text("b"), text("c")]), r#"S OR FROM "a" OR FROM "b" FROM "c""#),
            (Query::Or(vec![]), "S NOT ALL"),
            (Query::And(vec![]), "S ALL"),
            (Query::And(vec![text("a"), Query::Larger(5)]), r#"S (FROM "a" LARGER 5)"#),
            (Query::Uids(3, 9), "S UID 3:9"),
            (Query::Among(vec![9, 3, 4]), "S UID 3:4,9"),
            (Query::Among(vec![]), "S NOT ALL"),
            (Query::Raw(Criteria::read("OR SEEN DRAFT").unwrap()), "S (OR SEEN DRAFT)"),
            (Query::HasAttachment, r#"S HEADER Content-Type "multipart/mixed""#),
        ] {
            assert_eq!(written(&query).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_can_be_in_no_query() {
        let deep = (0..=DEPTH_MAX).fold(Query::All, |query, _| Query::Not(Box::new(query)));
        for query in [
            Query::From("\0".to_owned()),
            Query::Header("a b".to_owned(), String::new()),
            Query::Header(String::new(), String::new()),
            Query::Flag(Flag::Keyword("a b".to_owned())),
            Query::Uids(0, 5),
            Query::Uids(6, 5),
            Query::Among(vec![1, 0]),
            Query::And(vec![Query::All; CONDITIONS_MAX]),
            deep,
        ] {
            assert!(matches!(written(&query), Err(Error::Invalid { .. })), "{query:?}");
        }
    }

    fn queries() -> impl Strategy<Value = Query> {
        let leaf = prop_oneof![
            Just(Query::All),
            any::<String>().prop_map(Query::From),
            any::<String>().prop_map(Query::Body),
            (any::<String>(), any::<String>()).prop_map(|(name, text)| Query::Header(name, text)),
            any::<String>().prop_map(|name| Query::Flag(Flag::Keyword(name))),
            (any::<u32>(), any::<u32>()).prop_map(|(first, last)| Query::Uids(first, last)),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Query::And),
                prop::collection::vec(inner.clone(), 0..5).prop_map(Query::Or),
                inner.prop_map(|query| Query::Not(Box::new(query))),
            ]
        })
    }

    proptest! {
        /// Any query is refused, or its words are one line with balanced parentheses.
        #[test]
        fn nothing_escapes(query in queries()) {
            if let Ok(command) = query.write(Command::new("S"), &Capabilities::default()) {
                let words: String =
                    command.parts.iter().map(|(words, _)| words.as_str()).chain([command.rest.as_str()]).collect();
                prop_assert!(words.bytes().all(|b| (b' '..=b'~').contains(&b)), "{words:?}");
                let bare: String = words
                    .replace("\\\\", "").replace("\\\"", "")
                    .split('"').step_by(2).collect();
                prop_assert_eq!(bare.matches('(').count(), bare.matches(')').count());
            }
        }
    }
}
