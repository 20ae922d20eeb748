//! What can go wrong with an upstream, and what follows from it.

use std::time::Duration;

use protocol::{Code, Error};
use serde_json::json;

use crate::wire::{RefusalKind, WireError};

/// Less of a key says nothing; local servers are given keys such as `x`, which are no secret.
const KEY_MIN: usize = 4;

/// An upstream that did not do what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// For the caller; it holds no key and no more than the beginning of what the provider said.
    pub(crate) message: String,
    /// When the provider wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No connection.
    Connect,
    /// Nothing came in time.
    Timeout,
    /// It ended too early.
    Closed,
    /// It answered with something else than its protocol has.
    Broken,
    /// It said in the middle of its answer that it failed.
    Failed,
    /// It refused, with this status.
    Refused(u16, RefusalKind),
    /// It is not asked at the moment.
    Open,
    /// Too many calls wait for it.
    Busy,
    /// What was asked for, it cannot do.
    Unsupported,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// The same without `key`, which providers like to repeat, and without the beginning of it where what they said is
    /// cut off. Keys of known providers are known by their looks; this is for all others.
    pub(crate) fn without(mut self, key: Option<&str>) -> Self {
        let Some(key) = key.filter(|key| key.len() >= KEY_MIN) else { return self };
        if self.message.contains(key) {
            self.message = self.message.replace(key, "***");
        }
        if let Some(cut) = self.message.strip_suffix('\u{2026}') {
            let mut beginnings = (KEY_MIN..key.len()).rev().filter_map(|end| key.get(..end));
            if let Some(rest) = beginnings.find_map(|beginning| cut.strip_suffix(beginning)) {
                self.message = format!("{rest}***\u{2026}");
            }
        }
        self
    }

    /// Whether the same request may go better the next time.
    pub(crate) fn is_passing(&self) -> bool {
        match self.kind {
            Kind::Connect | Kind::Timeout | Kind::Closed | Kind::Broken | Kind::Failed => true,
            Kind::Refused(status, _) => matches!(status, 408 | 429 | 500..),
            Kind::Open | Kind::Busy | Kind::Unsupported => false,
        }
    }

    /// Whether another model may do it.
    pub(crate) fn is_upstreams(&self) -> bool {
        // What is wrong with the request itself is wrong everywhere; that it is too long, or that this provider has no
        // such thing, is not.
        !matches!(self.kind, Kind::Refused(400 | 413 | 422, RefusalKind::Other) | Kind::Unsupported)
    }

    /// Whether the upstream is ill: that it refuses is no illness.
    pub(crate) fn is_illness(&self) -> bool {
        match self.kind {
            Kind::Connect | Kind::Timeout | Kind::Closed | Kind::Broken | Kind::Failed => true,
            Kind::Refused(status, _) => status >= 500,
            Kind::Open | Kind::Busy | Kind::Unsupported => false,
        }
    }

    fn label(&self) -> &'static str {
        match self.kind {
            Kind::Connect => "connect",
            Kind::Timeout => "timeout",
            Kind::Closed => "closed",
            Kind::Broken => "broken",
            Kind::Failed => "failed",
            Kind::Refused(_, RefusalKind::Authentication) => "authentication",
            Kind::Refused(_, RefusalKind::ContextTooLong) => "context_too_long",
            Kind::Refused(_, RefusalKind::RateLimited) => "rate_limited",
            Kind::Refused(_, RefusalKind::Overloaded) => "overloaded",
            Kind::Refused(_, RefusalKind::NotFound) => "not_found",
            Kind::Refused(_, RefusalKind::Unpaid) => "unpaid",
            Kind::Refused(_, RefusalKind::Other) => "refused",
            Kind::Open => "circuit_open",
            Kind::Busy => "queue_full",
            Kind::Unsupported => "unsupported",
        }
    }

    /// What the caller is told. `model` is the alias; `tried` are those that were asked before.
    pub(crate) fn error(&self, model: &str, tried: &[String]) -> Error {
        if self.kind == Kind::Unsupported {
            return Error::new(Code::InvalidParams, format!("Model '{model}': {}.", self.message));
        }
        let before = match tried {
            [] => String::new(),
            tried => format!(" Before it: {}.", tried.join("; ")),
        };
        let status = match self.kind {
            Kind::Refused(status, _) => Some(status),
            _ => None,
        };
        let mut data = json!({ "kind": self.label(), "model": model, "retry_safe": true });
        if let Some(status) = status {
            data["status"] = status.into();
        }
        if let Some(wait) = self.retry_after {
            data["retry_after_ms"] = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into();
        }
        Error::new(Code::LlmUpstream, format!("Model '{model}': {}.{before}", self.message)).with_data(data)
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Unsupported(text) => Self::new(Kind::Unsupported, text),
            WireError::Broken(text) => Self::new(Kind::Broken, text),
            WireError::Failed(text) => {
                // What we say goes on behind it.
                Self::new(Kind::Failed, format!("its provider failed: {}", text.trim_end_matches('.')))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(message: &str, key: &str) -> String {
        Failure::new(Kind::Failed, message).without(Some(key)).message
    }

    #[test]
    fn a_key_is_not_repeated_whole_or_cut() {
        assert_eq!(without("wrong: c0ffee11, c0ffee11.", "c0ffee11"), "wrong: ***, ***.");
        assert_eq!(without("wrong: c0ffee\u{2026}", "c0ffee11"), "wrong: ***\u{2026}");
        assert_eq!(without("such a cof\u{2026}", "coffee11"), "such a cof\u{2026}");
        assert_eq!(without("x is wrong", "x"), "x is wrong");
    }
}
