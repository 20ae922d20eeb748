//! Ids of messages that are built (RFC 5322 3.6.4).

use crate::compose::ComposeError;

/// An id of a message or of a part, without angle brackets: `left@right`. Ids of others need not have that form, and an
/// answer has to repeat them as they are; here it is any text that fits between the brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// A line has at most 998 bytes, and is better short.
const ID_BYTES: usize = 500;

impl MessageId {
    /// With or without angle brackets.
    pub fn new(id: &str) -> Result<Self, ComposeError> {
        let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
        let fits = |b: u8| b.is_ascii_graphic() && b != b'<' && b != b'>';
        if (1..=ID_BYTES).contains(&bare.len()) && bare.bytes().all(fits) {
            Ok(Self(bare.to_owned()))
        } else {
            Err(ComposeError::Id(id.chars().take(100).collect()))
        }
    }

    /// Without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
