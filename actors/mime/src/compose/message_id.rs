//! Ids of messages that are built (RFC 5322 3.6.4).

use crate::compose::ComposeError;

/// An id of a message or of a part, `left@right`, without angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// With or without angle brackets.
    pub fn new(id: &str) -> Result<Self, ComposeError> {
        let bare = id.trim_start_matches('<').trim_end_matches('>');
        let plain = |b: u8| b.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&b);
        // A right side in brackets is a literal address, which is allowed there (RFC 5322 3.6.4).
        let right = |right: &str| {
            let inner = right.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
            !right.is_empty()
                && inner.unwrap_or(right).bytes().all(|b| plain(b) || inner.is_some() && b == b':')
        };
        let valid = bare.len() <= 250
            && bare
                .split_once('@')
                .is_some_and(|(left, rest)| !left.is_empty() && left.bytes().all(plain) && right(rest));
        if valid { Ok(Self(bare.to_owned())) } else { Err(ComposeError::Id(id.chars().take(100).collect())) }
    }

    /// Without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
