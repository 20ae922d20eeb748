//! A part as an IMAP server describes it, before anything of it is fetched.

use std::fmt::Write as _;

use crate::clean;
use crate::field::{self, Grammar};
use crate::part::{NAME_BYTES, Part, Rest};

/// What an IMAP server says about a part in BODYSTRUCTURE (RFC 3501 7.4.2), undecoded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Described<'a> {
    /// The part's number.
    pub id: &'a str,
    /// `text`, `plain`.
    pub mime_type: (&'a str, &'a str),
    /// Names and values of the content type's parameters.
    pub params: &'a [(&'a str, &'a str)],
    /// The disposition and its parameters.
    pub disposition: Option<(&'a str, &'a [(&'a str, &'a str)])>,
    /// With or without angle brackets.
    pub content_id: Option<&'a str>,
    /// The transfer encoding.
    pub encoding: &'a str,
    /// In bytes.
    pub size: u64,
    /// The types of the parts that it is in, from the outermost one.
    pub within: &'a [&'a str],
}

impl Part {
    /// A part as an IMAP server describes it. Reads encoded names as [`crate::Message`] does.
    pub fn described(part: &Described<'_>) -> Self {
        let read = |value: &str, params: &[(&str, &str)]| {
            let line = with_params(value, params);
            field::parse(&line, Grammar::ContentType).into_content_type()
        };
        let (kind, subtype) = part.mime_type;
        let content_type = read(&format!("{kind}/{subtype}"), part.params);
        let disposition = part.disposition.and_then(|(value, params)| read(value, params));
        let within = part.within.iter().map(|kind| kind.to_ascii_lowercase()).collect();
        Self::of(
            part.id,
            content_type.as_ref(),
            disposition.as_ref(),
            within,
            "text/plain",
            &Rest { content_id: part.content_id, encoding: part.encoding, size: part.size },
        )
    }
}

/// The line of a header that has this value and these parameters.
fn with_params(value: &str, params: &[(&str, &str)]) -> Vec<u8> {
    let mut line = clean::line(value, NAME_BYTES);
    for (name, value) in params {
        let (name, value) = (clean::line(name, NAME_BYTES), clean::line(value, NAME_BYTES));
        // An extended value (RFC 2231) is never quoted, and any other may be.
        let _ = if name.ends_with('*') {
            write!(line, "; {name}={value}")
        } else {
            write!(line, "; {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
        };
    }
    line.into_bytes()
}
