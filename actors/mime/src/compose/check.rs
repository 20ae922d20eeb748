//! What a message may be that is built: nothing that breaks its header, and no more than servers take.

use crate::compose::{Compose, ComposeError};
use crate::limits;

/// A longer subject would not be a field that every server takes (RFC 5322 2.1.1).
const SUBJECT_BYTES: usize = 900;
/// Servers take a hundred at least (RFC 5321 4.5.3.1.8); a list is a mailing list's work.
const RECIPIENTS: usize = 500;
const ATTACHMENTS: usize = 100;
/// The text, and its HTML.
const TEXT_BYTES: usize = 8 * 1024 * 1024;
/// Together; the largest providers take 50 MB with what base64 adds.
const ATTACHED_BYTES: usize = 36 * 1024 * 1024;
const NAME_BYTES: usize = 255;

pub(super) fn check(mail: &Compose) -> Result<(), ComposeError> {
    let at_most =
        |what, count, max| if count > max { Err(ComposeError::TooMany { what, count, max }) } else { Ok(()) };
    if mail.subject.contains(char::is_control) {
        return Err(ComposeError::Control("subject"));
    }
    at_most("subject in bytes", mail.subject.len(), SUBJECT_BYTES)?;
    at_most(
        "list of recipients",
        mail.to.len() + mail.cc.len() + mail.bcc.len() + mail.reply_to.len(),
        RECIPIENTS,
    )?;
    at_most("text in bytes", mail.text.len().max(mail.html.as_ref().map_or(0, String::len)), TEXT_BYTES)?;
    at_most("list of references", mail.references.len(), limits::REFERENCES)?;
    at_most("list of attachments", mail.attachments.len(), ATTACHMENTS)?;
    at_most(
        "attachments in bytes",
        mail.attachments.iter().map(|file| file.bytes.len()).sum(),
        ATTACHED_BYTES,
    )?;
    for file in &mail.attachments {
        if file.name.contains(char::is_control) {
            return Err(ComposeError::Control("name of an attachment"));
        }
        if file.name.trim().is_empty() {
            return Err(ComposeError::NoName);
        }
        at_most("name of an attachment in bytes", file.name.len(), NAME_BYTES)?;
        let token = |half: &str| {
            (1..=127).contains(&half.len())
                && half.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        if !file.mime_type.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype)) {
            return Err(ComposeError::MimeType(file.mime_type.chars().take(100).collect()));
        }
    }
    Ok(())
}
