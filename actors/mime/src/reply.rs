//! What an answer has on it: to whom it goes, what it is about, and which conversation it belongs to.

use crate::compose::{Compose, MessageId};
use crate::{Address, Date, Envelope, Mailbox, quote, reply_subject};

/// Who gets the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Where the author wants answers.
    Author,
    /// He, and everybody who got the message.
    All,
}

/// What somebody answers.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Who answers.
    pub from: Address,
    /// All addresses of who answers: he does not write to himself.
    pub own: &'a [Address],
    /// Who gets it.
    pub reach: Reach,
    /// What he says.
    pub text: String,
    /// The text of the message that is quoted below it, if it is.
    pub quoted: Option<&'a str>,
    /// The answer's own id.
    pub message_id: MessageId,
    /// When it was written.
    pub date: Date,
}

/// References that are kept: the first, which names the conversation, and the last ones. Longer fields are refused by
/// some servers and help nobody.
const REFERENCES_MAX: usize = 20;

/// An answer to a message (RFC 5322 3.6.3 and 3.6.4). Addresses of the message that cannot be written to are left out.
pub fn reply(original: &Envelope, answer: Answer<'_>) -> Compose {
    let is_own = |mailbox: &Mailbox| {
        mailbox.is_same(answer.from.email()) || answer.own.iter().any(|own| mailbox.is_same(own.email()))
    };
    // Who answers what he wrote himself goes on talking to those he wrote to.
    let wrote_it = !original.from.is_empty() && original.from.iter().all(is_own);
    let asked = if original.reply_to.is_empty() { &original.from } else { &original.reply_to };
    let authors = if wrote_it { &original.to } else { asked };
    let mut taken: Vec<String> = Vec::new();
    let to = recipients(authors.iter(), &is_own, &mut taken);
    // A note to oneself is answered to oneself.
    let to = if to.is_empty() { recipients(authors.iter(), &|_| false, &mut taken) } else { to };
    let others = original.to.iter().chain(&original.cc);
    let cc = if answer.reach == Reach::All { recipients(others, &is_own, &mut taken) } else { Vec::new() };
    let mut text = answer.text;
    if let Some(quoted) = answer.quoted {
        text.truncate(text.trim_end().len());
        text.push_str("\n\n");
        text.push_str(&quote(original, quoted));
    }
    Compose {
        from: answer.from,
        reply_to: Vec::new(),
        to,
        cc,
        bcc: Vec::new(),
        subject: short(reply_subject(original.subject.as_deref().unwrap_or_default())),
        text,
        html: None,
        attachments: Vec::new(),
        in_reply_to: original.message_id.as_deref().and_then(|id| MessageId::new(id).ok()),
        references: references(original),
        message_id: answer.message_id,
        date: answer.date,
    }
}

/// Those who can be written to, each once.
fn recipients<'a>(
    mailboxes: impl Iterator<Item = &'a Mailbox>,
    left_out: &dyn Fn(&Mailbox) -> bool,
    taken: &mut Vec<String>,
) -> Vec<Address> {
    /// Of a message with more the answer is not meant for all.
    const RECIPIENTS_MAX: usize = 250;
    let mut list = Vec::new();
    for address in
        mailboxes.filter(|mailbox| !left_out(mailbox)).filter_map(|mailbox| Address::try_from(mailbox).ok())
    {
        let place = address.email().to_ascii_lowercase();
        if list.len() < RECIPIENTS_MAX && !taken.contains(&place) {
            taken.push(place);
            list.push(address);
        }
    }
    list
}

/// The conversation so far, and the message that is answered at its end.
fn references(original: &Envelope) -> Vec<MessageId> {
    let before = match (original.references.as_slice(), original.in_reply_to.as_slice()) {
        ([], [only]) => std::slice::from_ref(only),
        (references, _) => references,
    };
    let mut ids: Vec<MessageId> = Vec::new();
    for id in before.iter().chain(&original.message_id).filter_map(|id| MessageId::new(id).ok()) {
        ids.retain(|known| *known != id);
        ids.push(id);
    }
    if ids.len() > REFERENCES_MAX {
        ids.drain(1..=ids.len() - REFERENCES_MAX);
    }
    ids
}

/// A subject that can be written, whatever was read.
fn short(subject: String) -> String {
    const SUBJECT_BYTES: usize = 900;
    let mut subject = subject;
    subject.truncate(subject.floor_char_boundary(SUBJECT_BYTES));
    subject
}
