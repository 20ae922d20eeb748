//! Whether a part is an attachment: one judgement for parts that were found and for those that a server described, so
//! that a list of messages and the messages themselves never disagree.

use crate::part::{Disposition, Part};

/// Whether a person would call this part an attachment: something sent with the message rather than a piece of it.
///
/// Text without a name is the message itself, unless it says that it is attached. Pictures that the HTML shows and the
/// seal of a signature are pieces of the message too. The same answer for a part that was found and one that was described.
pub fn is_attachment(part: &Part) -> bool {
    let inline = part.disposition != Some(Disposition::Attachment);
    let named = part.filename.is_some();
    match part.mime_type.as_str() {
        "text/plain" | "text/html" if inline && !named => false,
        // One alternative of the text is text, whatever it is called.
        "text/plain" | "text/html" | "text/calendar" | "text/enriched" | "text/richtext"
        | "text/x-amp-html" | "text/watch-html"
            if inline && part.within.last().is_some_and(|kind| kind == "multipart/alternative") =>
        {
            false
        }
        "text/plain" | "text/html" if part.within.is_empty() && inline => false,
        "application/applefile" if part.within.last().is_some_and(|kind| kind == "multipart/appledouble") => {
            false
        }
        "application/pgp-signature"
        | "application/pkcs7-signature"
        | "application/x-pkcs7-signature"
        | "application/pgp-encrypted" => false,
        "message/delivery-status"
        | "message/disposition-notification"
        | "text/rfc822-headers"
        | "message/rfc822-headers"
            if inline =>
        {
            false
        }
        kind if kind.starts_with("image/") && part.content_id.is_some() && inline => {
            !part.within.iter().any(|kind| kind == "multipart/related")
        }
        _ => true,
    }
}

/// Whether any of the parts is an attachment.
pub fn has_attachments(parts: &[Part]) -> bool {
    parts.iter().any(is_attachment)
}
