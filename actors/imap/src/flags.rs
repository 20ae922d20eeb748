//! Flags of messages, and changing them.

use crate::account::Account;
use crate::command::{Command, uid_set};
use crate::error::Error;

/// How many messages one call may change or move. Ten thousand UIDs are a line of 70 KB at worst.
pub(crate) const UIDS_MAX: usize = 10_000;

/// A flag of a message (RFC 3501, 2.3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// It was read.
    Seen,
    /// It was answered.
    Answered,
    /// It is marked as important.
    Flagged,
    /// It is to be removed.
    Deleted,
    /// It is not finished.
    Draft,
    /// It came since somebody looked last; the server alone sets it.
    Recent,
    /// A word of the owner's or of a program's, such as `$Forwarded`.
    Keyword(String),
}

/// What becomes of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They are set besides those that are.
    Add,
    /// They are taken away.
    Remove,
    /// They are set and all others are taken away.
    Replace,
}

impl Flag {
    /// The flag that a server writes so.
    pub(crate) fn read(wire: &str) -> Self {
        match wire.to_ascii_lowercase().as_str() {
            "\\seen" => Self::Seen,
            "\\answered" => Self::Answered,
            "\\flagged" => Self::Flagged,
            "\\deleted" => Self::Deleted,
            "\\draft" => Self::Draft,
            "\\recent" => Self::Recent,
            _ => Self::Keyword(wire.to_owned()),
        }
    }

    /// As it is written in STORE and APPEND.
    pub(crate) fn wire(&self) -> Result<&str, Error> {
        match self {
            Self::Seen => Ok("\\Seen"),
            Self::Answered => Ok("\\Answered"),
            Self::Flagged => Ok("\\Flagged"),
            Self::Deleted => Ok("\\Deleted"),
            Self::Draft => Ok("\\Draft"),
            Self::Recent => Err(Error::invalid("no caller can set \\Recent; leave it out")),
            Self::Keyword(word) => keyword(word),
        }
    }

    /// As it is searched for.
    pub(crate) fn search_key(&self) -> Result<String, Error> {
        match self {
            Self::Recent => Ok("RECENT".to_owned()),
            Self::Keyword(word) => Ok(format!("KEYWORD {}", keyword(word)?)),
            other => Ok(other.wire()?.trim_start_matches('\\').to_ascii_uppercase()),
        }
    }
}

/// A keyword is an atom (RFC 3501, 9).
fn keyword(word: &str) -> Result<&str, Error> {
    let is_atom = |b: u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b);
    let fits = (1..=128).contains(&word.len()) && word.bytes().all(is_atom);
    fits.then_some(word).ok_or_else(|| {
        let shown: String = word.chars().take(40).collect();
        let shown = shown.escape_debug();
        Error::invalid(format!("'{shown}' is no flag; write letters, digits, and $ _ - . only"))
    })
}

/// Flags in parentheses.
pub(crate) fn list(flags: &[Flag]) -> Result<String, Error> {
    let words: Result<Vec<_>, _> = flags.iter().map(Flag::wire).collect();
    Ok(format!("({})", words?.join(" ")))
}

/// The set of UIDs for a command.
///
/// # Errors
/// There is none, a zero among them, or too many.
pub(crate) fn set(uids: &[u32]) -> Result<String, Error> {
    if uids.is_empty() || uids.len() > UIDS_MAX || uids.contains(&0) {
        let count = uids.len();
        return Err(Error::invalid(format!("give 1 to {UIDS_MAX} UIDs, each from 1 up; these are {count}")));
    }
    Ok(uid_set(uids))
}

impl Account {
    /// Changes flags of messages. UIDs that are not there (any more) are passed over.
    ///
    /// # Errors
    /// Also [`Error::Stale`] where `uid_validity` is not the folder's any more.
    pub async fn set_flags(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: Change,
        flags: &[Flag],
    ) -> Result<(), Error> {
        let sign = match change {
            Change::Add => "+",
            Change::Remove => "-",
            Change::Replace => "",
        };
        let words = format!("{} {sign}FLAGS.SILENT {}", set(uids)?, list(flags)?);
        let mut lease = self.change(folder, uid_validity).await?;
        let done = lease.connection().run(Command::new("UID STORE").words(&words)).await;
        done.map(drop).map_err(Error::in_doubt)
    }
}
