//! What stands on the outside of a message: who, to whom, when, about what, and in answer to what (RFC 5322 3.6).

use mail_parser::HeaderValue;
use serde::Serialize;

use crate::field::{Field, Grammar};
use crate::{Date, Mailbox, clean, limits};

/// The fields of a header that every list of messages shows. Where one is there twice, the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Decoded, on one line.
    pub subject: Option<String>,
    /// The authors.
    pub from: Vec<Mailbox>,
    /// To whom it is addressed.
    pub to: Vec<Mailbox>,
    /// Who got a copy.
    pub cc: Vec<Mailbox>,
    /// Who got a copy that others are not told of; in drafts and sent mail.
    pub bcc: Vec<Mailbox>,
    /// Where answers shall go.
    pub reply_to: Vec<Mailbox>,
    /// Who sent it for the authors.
    pub sender: Option<Mailbox>,
    /// When it was written, by the writer's word.
    pub date: Option<Date>,
    /// What it answers, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// The conversation before it, the oldest first, without angle brackets.
    pub references: Vec<String>,
}

/// A subject of one line; the standard wants 998 bytes at most.
const SUBJECT_BYTES: usize = 2000;

/// An id: the standard wants it on one line of 998 bytes.
const ID_BYTES: usize = 998;

impl Envelope {
    pub(crate) fn of(fields: &[Field<'_>]) -> Self {
        let field = |name: &str| fields.iter().find(|field| field.is(name));
        let mailboxes = |name: &str| field(name).map(Mailbox::list).unwrap_or_default();
        let ids = |name: &str| field(name).map(ids).unwrap_or_default();
        Self {
            message_id: ids("Message-ID").into_iter().next(),
            subject: field("Subject").map(|field| clean::line(&field.text(), SUBJECT_BYTES)),
            from: mailboxes("From"),
            to: mailboxes("To"),
            cc: mailboxes("Cc"),
            bcc: mailboxes("Bcc"),
            reply_to: mailboxes("Reply-To"),
            sender: mailboxes("Sender").into_iter().next(),
            date: field("Date").and_then(date),
            in_reply_to: ids("In-Reply-To"),
            references: ids("References"),
        }
    }
}

impl Envelope {
    /// What the message answers, the nearest last: the References, or where there are none the first id of In-Reply-To
    /// (RFC 5256, step 1).
    pub fn ancestors(&self) -> &[String] {
        if self.references.is_empty() {
            &self.in_reply_to[..self.in_reply_to.len().min(1)]
        } else {
            &self.references
        }
    }
}

fn date(field: &Field<'_>) -> Option<Date> {
    Date::of(field.parse(Grammar::Date).as_datetime()?)
}

/// The ids of a field: at most those that are nearest to the message.
fn ids(field: &Field<'_>) -> Vec<String> {
    let ids = match field.parse(Grammar::Ids) {
        HeaderValue::Text(id) => vec![id],
        HeaderValue::TextList(ids) => ids,
        _ => Vec::new(),
    };
    let skipped = ids.len().saturating_sub(limits::REFERENCES);
    let ids = ids.iter().skip(skipped).map(|id| clean::line(id, ID_BYTES));
    // Between brackets a blank is where the line was folded; without them it is no id.
    let ids = ids.filter(|id| field.has_brackets() || !id.contains(' ')).map(|id| id.replace(' ', ""));
    ids.filter(|id| !id.is_empty()).collect()
}
