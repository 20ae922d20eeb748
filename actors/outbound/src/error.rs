//! Why there is no answer, of what kind that is, and whether the server may have had the request all the same.

use crate::answer::Response;

/// Whether the request reached a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sent {
    /// Not a byte of it: it can be sent again without doing anything twice.
    No,
    /// Some or all of it went out and no answer came: nobody knows.
    Maybe,
    /// A server answered it; behind redirects, one of the servers.
    Yes,
}

/// Of what kind a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself cannot be sent so.
    Invalid,
    /// The host is not in the list.
    NotAllowed,
    /// The address is not public, and not in the list.
    PrivateAddress,
    /// The name has no address.
    Dns,
    /// No connection.
    Connect,
    /// No trust, or no TLS.
    Tls,
    /// The time was up.
    Timeout,
    /// More than the bounds let through.
    TooLarge,
    /// A redirect that is not followed.
    Redirect,
    /// An answer with another status than expected.
    Status,
    /// The connection ended early, or what came is no HTTP.
    Broken,
}

/// A request without the answer that was expected.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Of what kind.
    pub kind: Kind,
    /// Whether the server may have had it.
    pub sent: Sent,
    /// What happened and what to do; without what a URL has behind its host, which may be a secret.
    pub message: String,
    /// The answer, where the status alone was wrong.
    pub response: Option<Box<Response>>,
}

impl Kind {
    /// Its name in journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotAllowed => "not_allowed",
            Self::PrivateAddress => "private_address",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Broken => "broken",
        }
    }
}

impl Sent {
    /// Its name in journals and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

impl Error {
    /// One from before anything was sent.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, sent: Sent::No, message: message.into(), response: None }
    }

    pub(crate) fn sent(self, sent: Sent) -> Self {
        Self { sent: self.sent.max(sent), ..self }
    }
}
