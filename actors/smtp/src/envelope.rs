//! Who a message is from and to, as the server is told (RFC 5321, section 2.3.1). What is in the message is not asked.

/// From whom and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    from: String,
    to: Vec<String>,
}

impl Envelope {
    /// Addresses such as `ada@example.org`. `None` where one of them could be read as more than an address.
    pub fn new(from: &str, to: Vec<String>) -> Option<Self> {
        let whole = !to.is_empty() && to.iter().map(String::as_str).chain([from]).all(is_address);
        whole.then(|| Self { from: from.to_owned(), to })
    }

    /// Who it is from.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Who it is to, in the order of the verdicts.
    pub fn to(&self) -> &[String] {
        &self.to
    }
}

/// Whether `text` stays one argument between `<` and `>` on one line, with a domain behind its last `@`.
fn is_address(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>');
    let parts = text.rsplit_once('@');
    text.len() <= 320
        && text.chars().all(plain)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_addresses() {
        let to = |text: &str| Envelope::new("ada@example.org", vec![text.to_owned()]).is_some();
        for good in ["b@example.org", "b.c+d@x", "jürgen@exämple.org", "b@[127.0.0.1]"] {
            assert!(to(good), "{good}");
        }
        for bad in [
            "",
            "b",
            "@x",
            "b@",
            "b@x>\r\nRCPT TO:<c@x",
            "b@x y",
            "b@x\n",
            "<b@x>",
            &format!("{}@x", "b".repeat(320)),
        ] {
            assert!(!to(bad), "{bad:?}");
        }
        assert!(Envelope::new("ada@example.org", Vec::new()).is_none(), "to nobody");
        assert!(Envelope::new("a\r\nb@x", vec!["b@x".to_owned()]).is_none());
    }
}
