//! Which part of a message that is built is in which other.

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};

use crate::compose::{Attachment, Compose};

/// mixed( alternative( text, related( html, pictures )), files ), without the levels that hold one part only.
pub(super) fn body(mail: &Compose) -> MimePart<'_> {
    let boundaries = Boundaries::of(mail);
    let text = MimePart::new("text/plain", BodyPart::Text(mail.text.as_str().into()));
    let (shown, files): (Vec<_>, Vec<_>) =
        mail.attachments.iter().partition(|file| file.content_id.is_some() && mail.html.is_some());
    let said = match &mail.html {
        None => text,
        Some(html) => {
            let html = MimePart::new("text/html", BodyPart::Text(html.as_str().into()));
            let html = boundaries
                .around("related", std::iter::once(html).chain(shown.into_iter().map(attached)).collect());
            boundaries.around("alternative", vec![text, html])
        }
    };
    boundaries.around("mixed", std::iter::once(said).chain(files.into_iter().map(attached)).collect())
}

fn attached(file: &Attachment) -> MimePart<'_> {
    let kind = file.mime_type.to_ascii_lowercase();
    let part = MimePart::new(ContentType::new(kind.clone()), BodyPart::Binary(file.bytes.as_slice().into()));
    let part = match &file.content_id {
        Some(id) => {
            let inline = ContentType::new("inline").attribute("filename", file.name.as_str());
            part.header("Content-Disposition", inline).cid(id.as_str())
        }
        None => part.attachment(file.name.as_str()),
    };
    match kind.as_str() {
        // A message may not be encoded (RFC 2046 5.2.1).
        "message/rfc822" => part.transfer_encoding(if file.bytes.is_ascii() { "7bit" } else { "8bit" }),
        _ => part,
    }
}

/// Boundaries that occur in nothing that they divide. Made out of the message's id, so that the same message has the
/// same bytes whenever it is built.
struct Boundaries(String);

impl Boundaries {
    fn of(mail: &Compose) -> Self {
        // `=_` is neither in base64 nor in quoted-printable (RFC 2045 6.7); what is not encoded is looked through.
        let id: String =
            mail.message_id.as_str().chars().filter(char::is_ascii_alphanumeric).take(30).collect();
        let texts = [mail.text.as_str(), mail.html.as_deref().unwrap_or_default()];
        let occurs = |stem: &str| {
            let mut texts = texts
                .iter()
                .map(|text| text.as_bytes())
                .chain(mail.attachments.iter().map(|file| &*file.bytes));
            texts.any(|text| memchr::memmem::find(text, stem.as_bytes()).is_some())
        };
        let mut stems = (0_u32..).map(|n| format!("=_{id}_{n}"));
        Self(stems.find(|stem| !occurs(stem)).unwrap_or_default())
    }

    /// The parts in a multipart of this kind; one part alone needs none.
    fn around<'a>(&self, kind: &str, mut parts: Vec<MimePart<'a>>) -> MimePart<'a> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return only;
        }
        let boundary = format!("{}_{kind}", self.0);
        MimePart::new(ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary), parts)
    }
}
