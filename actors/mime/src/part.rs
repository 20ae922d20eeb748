//! One part of a message, whether it was found in its bytes or told by an IMAP server, and what kind of part it is.

mod described;

pub use described::Described;
use mail_parser::ContentType;
use serde::Serialize;

use crate::clean;
use crate::field::Field;

/// A part that is not itself a list of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The number by which IMAP fetches it (RFC 3501 6.4.5): `1`, `2.1`.
    pub id: String,
    /// Type and subtype in lower case.
    pub mime_type: String,
    /// As declared.
    pub charset: Option<String>,
    /// What the sender wants done with it.
    pub disposition: Option<Disposition>,
    /// The name by the sender's word, decoded. It may be anything: files are named by [`crate::safe_name`].
    pub filename: Option<String>,
    /// Without angle brackets; what `cid:` in HTML points to.
    pub content_id: Option<String>,
    /// Of the part as it is in the message, so in its transfer encoding, in bytes.
    pub size: u64,
    /// The transfer encoding.
    pub encoding: Encoding,
    /// The types of the parts that it is in, from the outermost one: `multipart/mixed`, `multipart/alternative`.
    pub within: Vec<String>,
    /// The `method` of a calendar part (RFC 5546), in upper case.
    pub method: Option<String>,
    /// Lines that end with a blank go on (RFC 3676).
    pub flowed: bool,
    /// And that blank is no part of the text.
    pub delsp: bool,
}

/// What the sender wants done with a part (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Shown with the message.
    Inline,
    /// Shown when asked for. Every disposition that is not known is one (RFC 2183 2.8).
    Attachment,
}

/// How bytes are written in a message (RFC 2045 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// 7bit, 8bit and binary: as they are.
    Identity,
    /// Three bytes in four letters.
    Base64,
    /// Text with escapes.
    QuotedPrintable,
    /// What was there before MIME.
    Uuencode,
    /// A name that nobody knows: the bytes are left as they are.
    Unknown(String),
}

impl Encoding {
    /// By its name in Content-Transfer-Encoding or BODYSTRUCTURE.
    pub fn named(name: &str) -> Self {
        // Some write `base64;` or `"base64"`.
        let name =
            name.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == ';').to_ascii_lowercase();
        match name.as_str() {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "none" => Self::Identity,
            "base64" | "base-64" => Self::Base64,
            "quoted-printable" | "quotedprintable" => Self::QuotedPrintable,
            "x-uuencode" | "uuencode" | "x-uue" | "uue" => Self::Uuencode,
            _ => Self::Unknown(clean::line(&name, 40)),
        }
    }
}

/// A name of 255 bytes is the longest that any file system takes; longer ones are cut later.
const NAME_BYTES: usize = 1000;

impl Part {
    /// A part by its own header. `default` is the type where none is declared.
    pub(crate) fn headed(
        id: &str,
        fields: &[Field<'_>],
        within: Vec<String>,
        default: &str,
        size: usize,
    ) -> Self {
        let field = |name: &str| fields.iter().find(|field| field.is(name));
        let content_type = field("Content-Type").and_then(Field::content_type);
        let disposition = field("Content-Disposition").and_then(Field::content_type);
        let text = |name: &str| field(name).map(Field::text).unwrap_or_default();
        let (encoding, content_id) = (text("Content-Transfer-Encoding"), text("Content-ID"));
        Self::of(
            id,
            content_type.as_ref(),
            disposition.as_ref(),
            within,
            default,
            &Rest { content_id: Some(&content_id), encoding: &encoding, size: size as u64 },
        )
    }

    fn of(
        id: &str,
        content_type: Option<&ContentType<'_>>,
        disposition: Option<&ContentType<'_>>,
        within: Vec<String>,
        default: &str,
        rest: &Rest<'_>,
    ) -> Self {
        let param = |name: &str| content_type.and_then(|value| value.attribute(name)).map(str::trim);
        let is = |name: &str, value: &str| param(name).is_some_and(|param| param.eq_ignore_ascii_case(value));
        let filename = disposition.and_then(|value| value.attribute("filename")).or_else(|| param("name"));
        let filename = filename.map(|name| clean::line(name, NAME_BYTES)).filter(|name| !name.is_empty());
        let content_id = rest.content_id.map(|id| clean::line(id.trim_matches(['<', '>', ' ']), NAME_BYTES));
        Self {
            id: id.to_owned(),
            mime_type: content_type.and_then(mime_type).unwrap_or_else(|| default.to_owned()),
            charset: param("charset").filter(|name| !name.is_empty()).map(|name| clean::line(name, 40)),
            disposition: disposition
                .map(|value| if value.is_inline() { Disposition::Inline } else { Disposition::Attachment }),
            filename,
            content_id: content_id.filter(|id| !id.is_empty()),
            size: rest.size,
            encoding: Encoding::named(rest.encoding),
            within,
            method: param("method").map(|method| clean::line(method, 40).to_ascii_uppercase()),
            flowed: is("format", "flowed"),
            delsp: is("delsp", "yes"),
        }
    }

    /// How many bytes it has at most when it is decoded; nearly that many for an attachment. Said before anything is
    /// fetched, for whoever has a limit.
    pub fn decoded_size_max(&self) -> u64 {
        match self.encoding {
            Encoding::Base64 => self.size / 4 * 3 + 3,
            _ => self.size,
        }
    }

    /// Whether it is a message inside the message.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.mime_type.as_str(), "message/rfc822" | "message/global")
    }
}

/// What is told of a part in the same words by its header and by a server.
struct Rest<'a> {
    content_id: Option<&'a str>,
    encoding: &'a str,
    size: u64,
}

/// Type and subtype, if it has both.
pub(crate) fn mime_type(value: &ContentType<'_>) -> Option<String> {
    /// RFC 6838 4.2 allows 127 letters for each half.
    const TYPE_MAX: usize = 255;
    let subtype = value.subtype().filter(|subtype| !subtype.is_empty())?;
    let whole = format!("{}/{subtype}", value.ctype()).to_ascii_lowercase();
    (!value.ctype().is_empty() && !whole.contains(|c: char| c.is_whitespace() || c.is_control()))
        .then(|| clean::line(&whole, TYPE_MAX))
}
