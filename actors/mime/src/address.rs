//! Who wrote and who is written to: mailboxes as they were read, and addresses that may be sent to.

use std::fmt;
use std::str::FromStr;

use mail_parser::HeaderValue;
use serde::Serialize;

use crate::field::{self, Field, Grammar};
use crate::{clean, limits};

/// A mailbox as somebody wrote it: what he called it, and where it is. Neither need be true or even well-formed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mailbox {
    /// The display name, decoded, on one line.
    pub name: Option<String>,
    /// The address; empty where there is only a name.
    pub email: String,
}

impl Mailbox {
    /// The mailboxes of a field; those of groups are in it as if they stood alone.
    pub(crate) fn list(field: &Field<'_>) -> Vec<Self> {
        Self::of(&field.parse(Grammar::Addresses))
    }

    fn of(value: &HeaderValue<'_>) -> Vec<Self> {
        /// RFC 5321 4.5.3.1 allows 64 + 1 + 255.
        const EMAIL_MAX: usize = 320;
        const NAME_MAX: usize = 500;
        let addresses = value.as_address().into_iter().flat_map(|address| address.iter());
        let mailbox = |address: &mail_parser::Addr<'_>| {
            let name = address.name().map(|name| clean::line(name, NAME_MAX)).filter(|name| !name.is_empty());
            let email = clean::line(without_route(address.address().unwrap_or_default()), EMAIL_MAX);
            (name.is_some() || !email.is_empty()).then_some(Self { name, email })
        };
        addresses.filter_map(mailbox).take(limits::ADDRESSES).collect()
    }

    /// Whether both are the same place: the part before the `@` has letters of either case in practice.
    pub fn is_same(&self, other: &str) -> bool {
        self.email.eq_ignore_ascii_case(other)
    }
}

/// `Name <address>`.
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => f.write_str(&self.email),
        }
    }
}

/// An address that may be written to: well-formed, in ASCII, on one line. Its name is any text on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    name: Option<String>,
    email: String,
}

/// Why an address is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A control character, which could begin another field.
    #[error("the address {0:?} has a control character or a line break: leave it out")]
    Control(String),
    /// Not `local@domain`.
    #[error("{0:?} is no mail address: write name@example.com, or \"Name <name@example.com>\"")]
    Malformed(String),
    /// Not ASCII.
    #[error(
        "the address {0:?} has letters outside ASCII, which mail servers refuse: write its domain as xn--…"
    )]
    NotAscii(String),
    /// More than one.
    #[error("{0:?} is not one address: give several as a list")]
    Several(String),
    /// Too long.
    #[error("an address has {0} bytes: at most 254, with a name of at most 500")]
    TooLong(usize),
}

impl Address {
    /// An address and, if there is one, the name of whose it is.
    pub fn new(name: Option<&str>, email: &str) -> Result<Self, AddressError> {
        if let Some(text) =
            [Some(email), name].into_iter().flatten().find(|text| text.contains(char::is_control))
        {
            return Err(AddressError::Control(text.to_owned()));
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        // RFC 3696 erratum 1690: the whole has at most 254, RFC 5321: what is before the @ at most 64.
        if email.len() > 254 || name.is_some_and(|name| name.len() > 500) {
            return Err(AddressError::TooLong(email.len().max(name.map_or(0, str::len))));
        }
        if !email.is_ascii() {
            return Err(AddressError::NotAscii(email.to_owned()));
        }
        let well_formed =
            email.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if !well_formed {
            return Err(AddressError::Malformed(email.to_owned()));
        }
        Ok(Self { name: name.map(str::to_owned), email: email.to_owned() })
    }

    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `local@domain`.
    pub fn email(&self) -> &str {
        &self.email
    }
}

/// `local@domain` or `Name <local@domain>`.
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains(char::is_control) {
            return Err(AddressError::Control(text.to_owned()));
        }
        if text.len() > 1000 {
            return Err(AddressError::TooLong(text.len()));
        }
        let parsed = Mailbox::of(&field::parse(text.as_bytes(), Grammar::Addresses));
        match parsed.as_slice() {
            [mailbox] if !mailbox.email.is_empty() => Self::new(mailbox.name.as_deref(), &mailbox.email),
            [] | [_] => Err(AddressError::Malformed(text.to_owned())),
            _ => Err(AddressError::Several(text.to_owned())),
        }
    }
}

impl TryFrom<&Mailbox> for Address {
    type Error = AddressError;

    fn try_from(mailbox: &Mailbox) -> Result<Self, AddressError> {
        Self::new(mailbox.name.as_deref(), &mailbox.email)
    }
}

/// Hosts that the message was to pass on its way, which nobody does any more (RFC 5322 4.4): `@one,@two:name@host`.
fn without_route(address: &str) -> &str {
    match address.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address,
        _ => address,
    }
}

/// A dot-atom (RFC 5322 3.2.3). Quoted local parts are legal, never used, and misread by many programs.
fn is_local(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= 64 && local.split('.').all(atom)
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.split('.').all(label)
}
