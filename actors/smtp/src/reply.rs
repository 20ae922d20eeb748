//! What a server answered.

use imap::clean;

/// A reply of the server: its code, and its words cut and cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The reply code, 200 to 599 (RFC 5321, section 4.2).
    pub code: u16,
    /// `5.1.1 no such user`: the enhanced code (RFC 3463) where there is one, and the text.
    pub said: String,
}

impl Reply {
    pub(crate) fn of(response: &smtp_proto::Response<String>) -> Self {
        let [class, subject, detail] = response.esc;
        let code = if class == 0 { String::new() } else { format!("{class}.{subject}.{detail} ") };
        Self { code: response.code, said: clean(&format!("{code}{}", response.message)) }
    }

    /// Whether the same may succeed later.
    pub const fn is_temporary(&self) -> bool {
        self.code >= 400 && self.code < 500
    }

    pub(crate) const fn is_yes(&self) -> bool {
        self.code >= 200 && self.code < 300
    }

    /// The same without a secret, should the server repeat it.
    pub(crate) fn without(mut self, secret: &str) -> Self {
        if !secret.is_empty() {
            self.said = self.said.replace(secret, "***");
        }
        self
    }
}
