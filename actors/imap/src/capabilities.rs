//! What a server can do beyond RFC 3501, as it says after the login.

use std::collections::BTreeSet;

/// The names that a server listed, in capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<String>);

impl Capabilities {
    /// Reads `* CAPABILITY IMAP4rev1 …` however many spaces are in it.
    pub(crate) fn read(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        Self(line.split_whitespace().skip(2).map(str::to_ascii_uppercase).collect())
    }

    /// Whether the server has `name` (in capitals).
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Every name.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a literal of `length` bytes may be sent without asking first (RFC 7888).
    pub(crate) fn literal_at_once(&self, length: usize) -> bool {
        self.has("LITERAL+") || (self.has("LITERAL-") && length <= 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_servers_list_them() {
        let capabilities = Capabilities::read(b"* CAPABILITY  IMAP4rev1 Move  uidplus LITERAL- \r\n");
        assert_eq!(capabilities.iter().collect::<Vec<_>>(), ["IMAP4REV1", "LITERAL-", "MOVE", "UIDPLUS"]);
        assert!(capabilities.has("MOVE") && !capabilities.has("IDLE"));
        assert_eq!([4096, 4097].map(|length| capabilities.literal_at_once(length)), [true, false]);
    }
}
