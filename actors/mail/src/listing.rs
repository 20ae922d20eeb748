//! Messages at a glance, as lists, searches and conversations show them.

use imap::{Flag, Summary};
use mime::{Envelope, Headers, Mailbox};
use protocol::Error;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Asked;
use crate::parts::leaves;

/// A message at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// Its UID in the folder.
    pub(crate) uid: u32,
    /// What it is about.
    pub(crate) subject: String,
    /// Who wrote it: `Ada Lovelace <ada@example.org>`.
    pub(crate) from: Vec<String>,
    /// To whom.
    pub(crate) to: Vec<String>,
    /// When it says that it was written (RFC 3339, UTC); null when it does not say.
    pub(crate) date: Option<String>,
    /// When it came, by the server.
    pub(crate) received: Option<String>,
    /// Whether it was read.
    pub(crate) seen: bool,
    /// Whether something is attached; judged by its structure, without its content.
    pub(crate) has_attachments: bool,
    /// Its flags, as IMAP writes them: `\Flagged`.
    pub(crate) flags: Vec<String>,
    /// Its length, in bytes.
    pub(crate) size: u32,
    /// Its Message-ID.
    pub(crate) message_id: Option<String>,
}

/// Rows, and what could not be one.
pub(crate) struct Rows {
    pub(crate) rows: Vec<(Row, Envelope)>,
    /// Messages that are there and cannot be read.
    pub(crate) unreadable: Vec<u32>,
}

impl Row {
    pub(crate) fn of(summary: &Summary) -> (Self, Envelope) {
        let (_, envelope, _) = Headers::parse(&summary.header);
        let parts = summary.structure.as_ref().map(leaves).unwrap_or_default();
        let row = Self {
            uid: summary.uid,
            subject: envelope.subject.clone().unwrap_or_default(),
            from: addresses(&envelope.from),
            to: addresses(&envelope.to),
            date: envelope.date.map(|date| date.at.to_string()),
            received: summary.received.map(|at| at.to_string()),
            seen: summary.flags.contains(&Flag::Seen),
            has_attachments: mime::has_attachments(&parts),
            flags: summary.flags.iter().map(shown).collect(),
            size: summary.size,
            message_id: envelope.message_id.clone(),
        };
        (row, envelope)
    }
}

/// Reads these messages at a glance, in this order.
pub(crate) async fn rows(
    asked: &Asked,
    folder: &str,
    uid_validity: Option<u32>,
    uids: &[u32],
) -> Result<Rows, Error> {
    if uids.is_empty() {
        return Ok(Rows { rows: Vec::new(), unreadable: Vec::new() });
    }
    let found = asked.account.summaries(folder, uid_validity, uids).await;
    let found = found.map_err(|error| asked.fault(&error))?;
    let rows = found.messages.iter().map(Row::of).collect();
    Ok(Rows { rows, unreadable: found.unreadable })
}

pub(crate) fn addresses(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(ToString::to_string).collect()
}

/// A flag as IMAP writes it.
pub(crate) fn shown(flag: &Flag) -> String {
    match flag {
        Flag::Seen => "\\Seen".to_owned(),
        Flag::Answered => "\\Answered".to_owned(),
        Flag::Flagged => "\\Flagged".to_owned(),
        Flag::Deleted => "\\Deleted".to_owned(),
        Flag::Draft => "\\Draft".to_owned(),
        Flag::Recent => "\\Recent".to_owned(),
        Flag::Keyword(word) => word.clone(),
    }
}

/// A flag as a caller writes it: `\Seen`, `seen`, `$Forwarded`.
pub(crate) fn flag(word: &str) -> Flag {
    match word.trim_start_matches('\\').to_ascii_lowercase().as_str() {
        "seen" => Flag::Seen,
        "answered" => Flag::Answered,
        "flagged" => Flag::Flagged,
        "deleted" => Flag::Deleted,
        "draft" => Flag::Draft,
        "recent" => Flag::Recent,
        _ => Flag::Keyword(word.to_owned()),
    }
}
