//! What a message is made of, as its server sees it (BODYSTRUCTURE, RFC 3501, 7.4.2): which parts to fetch without
//! fetching all of it.

use std::borrow::Cow;

use imap_proto::{BodyContentCommon, BodyContentSinglePart, BodyStructure, ContentEncoding};

use crate::command::unescaped;

/// One part of a message, and those in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is, as it is fetched: `1.2`. Empty for the message as a whole where that is several parts.
    pub path: String,
    /// Its type in lower case: `text/plain`.
    pub mime_type: String,
    /// What belongs to the type, names in lower case, values as they are written: `charset`, `name`.
    pub parameters: Vec<(String, String)>,
    /// How it is encoded, in lower case: `base64`. Empty for several parts.
    pub encoding: String,
    /// How long it is in bytes as it is encoded. 0 for several parts.
    pub size: u32,
    /// `attachment` or `inline`, where the message says so.
    pub disposition: Option<String>,
    /// What belongs to that, such as `filename`; values as they are written.
    pub disposition_parameters: Vec<(String, String)>,
    /// By which other parts refer to it: the Content-ID.
    pub id: Option<String>,
    /// What is in it: the parts of several, or the message in a message.
    pub parts: Vec<Part>,
}

impl Part {
    /// Reads what a server says.
    pub(crate) fn read(structure: &BodyStructure<'_>) -> Self {
        Self::at(structure, String::new())
    }

    /// `path` is where it is; empty for the message itself.
    fn at(structure: &BodyStructure<'_>, path: String) -> Self {
        // A message that is no multipart is its own part 1.
        let leaf = |path: String| if path.is_empty() { "1".to_owned() } else { path };
        match structure {
            BodyStructure::Basic { common, other, .. } | BodyStructure::Text { common, other, .. } => {
                Self::of(common, Some(other), leaf(path), Vec::new())
            }
            BodyStructure::Message { common, other, body, .. } => {
                let path = leaf(path);
                // What is in a message in a part is numbered below that part, its only part with a `.1`.
                let inner = match &**body {
                    multipart @ BodyStructure::Multipart { .. } => Self::at(multipart, path.clone()),
                    single => Self::at(single, format!("{path}.1")),
                };
                Self::of(common, Some(other), path, vec![inner])
            }
            BodyStructure::Multipart { common, bodies, .. } => {
                let below = |n: usize| if path.is_empty() { n.to_string() } else { format!("{path}.{n}") };
                let parts = bodies.iter().enumerate().map(|(n, body)| Self::at(body, below(n + 1))).collect();
                Self::of(common, None, path.clone(), parts)
            }
        }
    }

    fn of(
        common: &BodyContentCommon<'_>,
        single: Option<&BodyContentSinglePart<'_>>,
        path: String,
        parts: Vec<Self>,
    ) -> Self {
        let disposition = common.disposition.as_ref();
        Self {
            path,
            mime_type: format!("{}/{}", common.ty.ty, common.ty.subtype).to_ascii_lowercase(),
            parameters: parameters(common.ty.params.as_ref()),
            encoding: single.map(|single| encoding(&single.transfer_encoding)).unwrap_or_default(),
            size: single.map_or(0, |single| single.octets),
            disposition: disposition.map(|disposition| disposition.ty.to_ascii_lowercase()),
            disposition_parameters: parameters(
                disposition.and_then(|disposition| disposition.params.as_ref()),
            ),
            id: single.and_then(|single| single.id.as_ref()).map(ToString::to_string),
            parts,
        }
    }

    /// This part and all below it, from the top.
    pub fn all(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(std::iter::once(self).chain(self.parts.iter().flat_map(Self::all)))
    }

    /// Whether a person would say that something is attached: a part that says so or has a name, or another message;
    /// and not what is shown within the text.
    pub fn has_attachment(&self) -> bool {
        let named = |part: &Self| {
            let names = part.parameters.iter().chain(&part.disposition_parameters);
            names.into_iter().any(|(name, _)| name.starts_with("filename") || name.starts_with("name"))
        };
        self.all().any(|part| match part.disposition.as_deref() {
            Some("attachment") => true,
            _ if part.mime_type == "message/rfc822" => true,
            _ if part.mime_type.starts_with("multipart/") => false,
            _ => named(part) && part.id.is_none(),
        })
    }
}

fn parameters(params: Option<&Vec<(Cow<'_, str>, Cow<'_, str>)>>) -> Vec<(String, String)> {
    let all = params.into_iter().flatten();
    all.map(|(name, value)| (name.to_ascii_lowercase(), unescaped(value))).collect()
}

fn encoding(encoding: &ContentEncoding<'_>) -> String {
    match encoding {
        ContentEncoding::SevenBit => "7bit".to_owned(),
        ContentEncoding::EightBit => "8bit".to_owned(),
        ContentEncoding::Binary => "binary".to_owned(),
        ContentEncoding::Base64 => "base64".to_owned(),
        ContentEncoding::QuotedPrintable => "quoted-printable".to_owned(),
        ContentEncoding::Other(other) => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use imap_proto::{AttributeValue, Response};

    use super::*;

    fn read(structure: &str) -> Part {
        let line = format!("* 1 FETCH (BODYSTRUCTURE {structure})\r\n");
        match Response::parse(line.as_bytes()).unwrap().1 {
            Response::Fetch(_, items) => match &items[0] {
                AttributeValue::BodyStructure(structure) => Part::read(structure),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    const TEXT: &str = r#"("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 5 1 NIL NIL NIL NIL)"#;
    const PDF: &str = r#"("APPLICATION" "PDF" ("NAME" "a.pdf") NIL NIL "BASE64" 99 NIL ("attachment" ("FILENAME" "a.pdf")) NIL NIL)"#;
    const PICTURE: &str =
        r#"("IMAGE" "PNG" ("NAME" "a.png") "<x>" NIL "BASE64" 99 NIL ("inline" NIL) NIL NIL)"#;
    const ENVELOPE: &str = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

    fn paths(part: &Part) -> Vec<(&str, &str)> {
        part.all().map(|part| (part.path.as_str(), part.mime_type.as_str())).collect()
    }

    #[test]
    fn parts_are_where_they_are_fetched() {
        assert_eq!(paths(&read(TEXT)), [("1", "text/plain")]);
        let mixed = |parts: &str| format!(r#"({parts} "MIXED" NIL NIL NIL NIL)"#);
        let two = mixed(&format!("{TEXT}{PDF}"));
        assert_eq!(
            paths(&read(&two)),
            [("", "multipart/mixed"), ("1", "text/plain"), ("2", "application/pdf")]
        );
        let message = |inner: &str| {
            format!(r#"("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 {ENVELOPE} {inner} 1 NIL NIL NIL NIL)"#)
        };
        let forwarded = mixed(&format!("{TEXT}{}", message(&two)));
        let expected = [
            ("", "multipart/mixed"),
            ("1", "text/plain"),
            ("2", "message/rfc822"),
            ("2", "multipart/mixed"),
            ("2.1", "text/plain"),
            ("2.2", "application/pdf"),
        ];
        assert_eq!(paths(&read(&forwarded)), expected);
        let plain = mixed(&message(TEXT));
        let expected = [("", "multipart/mixed"), ("1", "message/rfc822"), ("1.1", "text/plain")];
        assert_eq!(paths(&read(&plain)), expected);
    }

    #[test]
    fn what_is_attached() {
        let mixed = |parts: &str| read(&format!(r#"({parts} "MIXED" NIL NIL NIL NIL)"#)).has_attachment();
        assert!(!read(TEXT).has_attachment());
        assert!(read(PDF).has_attachment());
        assert!(mixed(&format!("{TEXT}{PDF}")));
        assert!(!mixed(&format!("{TEXT}{PICTURE}")), "it is shown within the text");
        let pdf = read(PDF);
        assert_eq!(pdf.disposition.as_deref(), Some("attachment"));
        assert_eq!(pdf.disposition_parameters, [("filename".to_owned(), "a.pdf".to_owned())]);
        assert_eq!((pdf.encoding.as_str(), pdf.size), ("base64", 99));
    }
}
