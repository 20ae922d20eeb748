//! What can go wrong with a mail server, told apart by what a caller can do about it. No error has a credential in it,
//! and what a server said is cut and cleaned before it is in one.

use std::time::Duration;

/// How much of a server's words is kept, in characters: a sentence or two.
const SAID_MAX: usize = 200;

/// Why a question to a mail server has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server does not let this user in: the password, or the token, is not (or no longer) right.
    #[error("the mail server refused the login{}", quoted(.said))]
    Authentication {
        /// What it said, if anything.
        said: String,
    },
    /// No connection could be made, or the server sent it away.
    #[error("the mail server {server} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        why: String,
        /// When it makes sense to ask again.
        retry_after: Duration,
    },
    /// The server could not prove who it is.
    #[error("the certificate of {server} is not trusted: {why}")]
    Untrusted {
        /// Host and port.
        server: String,
        /// Why.
        why: String,
    },
    /// The account says something that cannot be used, such as a file that cannot be read.
    #[error("the account cannot be used: {why}")]
    Settings {
        /// What, and what to do.
        why: String,
    },
    /// The server has not answered in time. The connection was given up.
    #[error("the mail server did not answer {command} within {} s{}", after.as_secs(), told(*outcome))]
    Timeout {
        /// What it was asked.
        command: &'static str,
        /// How long it was waited for.
        after: Duration,
        /// Whether it may have been done.
        outcome: Outcome,
    },
    /// The connection broke, or what came over it made no sense.
    #[error("the connection to the mail server was lost during {command}: {why}{}", told(*outcome))]
    Lost {
        /// What it was asked.
        command: &'static str,
        /// How it ended.
        why: String,
        /// Whether it may have been done.
        outcome: Outcome,
    },
    /// The folder was made anew since the caller has seen it: its UIDs mean other messages now (RFC 3501, 2.3.1.1).
    #[error(
        "the folder '{folder}' was made anew on the server: its UIDVALIDITY is {found}, not {expected}; list it again"
    )]
    Stale {
        /// The folder.
        folder: String,
        /// The UIDVALIDITY that the caller has seen.
        expected: u32,
        /// The one that it has now.
        found: u32,
    },
    /// There is no such folder, or none that can be opened.
    #[error("there is no folder '{folder}'{}", quoted(.said))]
    NoSuchFolder {
        /// The folder.
        folder: String,
        /// What the server said.
        said: String,
    },
    /// There is no such message in the folder (any more).
    #[error("there is no message with UID {uid} in '{folder}'")]
    NoSuchMessage {
        /// The folder.
        folder: String,
        /// The message.
        uid: u32,
    },
    /// The mailbox is full, or the message is larger than the server takes.
    #[error("the mailbox is full, or the message is too large for it{}", quoted(.said))]
    OverQuota {
        /// What the server said.
        said: String,
    },
    /// The server says no.
    #[error("the mail server refused {command}{}", quoted(.said))]
    Refused {
        /// What it was asked.
        command: &'static str,
        /// Whether it did not understand (`BAD`), or did and would not (`NO`).
        understood: bool,
        /// What it said.
        said: String,
    },
    /// The server cannot do this, and there is no way around it.
    #[error("the mail server cannot do this: {what}")]
    Unsupported {
        /// What it would need.
        what: &'static str,
    },
    /// What was asked for cannot be asked of any server.
    #[error("{what}")]
    Invalid {
        /// What is wrong, where, and what to do.
        what: String,
    },
}

/// What became of a command whose answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was changed: it may be asked again.
    NothingDone,
    /// It may have been done: look before it is asked again.
    Unknown,
}

impl Error {
    /// Whether the connection broke, so that another one may answer.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// The same, of a command that changes something and had been sent.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        if let Self::Lost { outcome, .. } | Self::Timeout { outcome, .. } = &mut self {
            *outcome = Outcome::Unknown;
        }
        self
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// That the connection broke during `command`, which changed nothing yet.
    pub fn lost(command: &'static str, why: impl Into<String>) -> Self {
        Self::Lost { command, why: why.into(), outcome: Outcome::NothingDone }
    }

    /// What a server means that answers with `NO` (`understood`) or `BAD`, by the code in its answer (RFC 5530).
    pub(crate) fn refusal(command: &'static str, understood: bool, code: Option<&str>, text: &str) -> Self {
        let said = clean(text);
        match code.map(str::to_ascii_uppercase).as_deref() {
            Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED") => Self::Authentication { said },
            Some("NONEXISTENT" | "TRYCREATE") => Self::NoSuchFolder { folder: String::new(), said },
            Some("OVERQUOTA" | "LIMIT" | "TOOBIG") => Self::OverQuota { said },
            _ => Self::Refused { command, understood, said },
        }
    }

    /// The same where the command was about this folder.
    pub(crate) fn about(mut self, name: &str) -> Self {
        if let Self::NoSuchFolder { folder, .. } = &mut self
            && folder.is_empty()
        {
            name.clone_into(folder);
        }
        self
    }
}

/// One line of printable text, not too long.
pub fn clean(text: &str) -> String {
    let shown = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = shown.take(SAID_MAX + 1).collect();
    if let Some((at, _)) = shown.char_indices().nth(SAID_MAX) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": it says \"{said}\"") }
}

fn told(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NothingDone => "",
        Outcome::Unknown => "; it may have been done all the same: look before asking again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_short_line() {
        assert_eq!(clean(" a\r\n\u{1b}[31mb "), "a   [31mb");
        let long = clean(&"ä".repeat(500));
        assert_eq!((long.chars().count(), long.ends_with('…')), (SAID_MAX + 1, true));
        assert_eq!(clean(&"a".repeat(SAID_MAX)), "a".repeat(SAID_MAX));
    }

    #[test]
    fn codes_are_told_apart() {
        let of = |code| Error::refusal("COPY", true, Some(code), "x").about("f");
        assert_eq!(of("OVERQUOTA"), Error::OverQuota { said: "x".to_owned() });
        assert_eq!(of("trycreate"), Error::NoSuchFolder { folder: "f".to_owned(), said: "x".to_owned() });
        assert_eq!(of("AUTHENTICATIONFAILED"), Error::Authentication { said: "x".to_owned() });
        assert!(matches!(of("CANNOT"), Error::Refused { understood: true, .. }));
    }
}
