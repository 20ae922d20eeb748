//! What is known of a message that was asked to be sent, as callers see it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smtp::{Reply, Verdict};
use store::rusqlite::{self, Connection, Params, Row};

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Its server has not heard of it.
    Waiting,
    /// It is being handed over.
    HandingOver,
    /// The server took it, for one recipient at least.
    Sent,
    /// Nobody gets it.
    NotSent,
    /// It was handed over, or nearly, and no answer came: look whether it arrived before it is sent again.
    Unknown,
}

/// What the server said about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is responsible for it from now on.
    Accepted,
    /// It would not take it; `reply` says why.
    Rejected,
    /// Nobody knows.
    Unknown,
    /// It was not asked, or not to the end.
    NotSent,
}

/// A recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recipient {
    /// The address.
    pub(crate) address: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// What the server said: `550 5.1.1 no such user`; null when it said nothing.
    pub(crate) reply: Option<String>,
}

/// Where the copy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct CopyAt {
    /// The folder.
    pub(crate) folder: String,
    /// Its UID there; null when the server does not say.
    pub(crate) uid: Option<u32>,
    /// What the UID means.
    pub(crate) uid_validity: Option<u32>,
}

/// A message that was asked to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Record {
    /// Its Message-ID.
    pub(crate) message_id: String,
    /// What it is about.
    pub(crate) subject: String,
    /// When it was asked for (RFC 3339, UTC).
    pub(crate) at: String,
    /// How far it is.
    pub(crate) state: State,
    /// Why it was not sent, or why nobody knows; null otherwise.
    pub(crate) problem: Option<String>,
    /// Whom it is for.
    pub(crate) recipients: Vec<Recipient>,
    /// Where the sender's copy is; null when there is none, or not yet.
    pub(crate) copy: Option<CopyAt>,
    /// Whether the copy is still to be put into its folder.
    pub(crate) copy_pending: bool,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::HandingOver => "handing_over",
            Self::Sent => "sent",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    /// What is in the file; whatever is none of these is something of which nobody knows.
    fn of(name: &str) -> Self {
        let all = [Self::Waiting, Self::HandingOver, Self::Sent, Self::NotSent];
        all.into_iter().find(|state| state.name() == name).unwrap_or(Self::Unknown)
    }
}

impl Recipient {
    /// One whom nobody was asked about yet.
    pub(crate) fn new(address: String) -> Self {
        Self { address, outcome: Outcome::NotSent, reply: None }
    }

    /// What the server thinks of it, before the message.
    pub(crate) fn judge(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Taken => self.outcome = Outcome::NotSent,
            Verdict::Refused(reply) => self.end(Outcome::Rejected, Some(reply)),
        }
    }

    /// What became of it, if it was still open.
    pub(crate) fn end(&mut self, outcome: Outcome, reply: Option<&Reply>) {
        if self.outcome == Outcome::NotSent {
            self.outcome = outcome;
            self.reply = reply.map(|reply| format!("{} {}", reply.code, reply.said));
        }
    }

    /// Nobody knows, if it was still open.
    pub(crate) fn doubt(&mut self) {
        self.end(Outcome::Unknown, None);
    }
}

pub(super) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("lists and strings serialise to memory")
}

/// The newest records that fit.
pub(super) fn select(
    db: &Connection,
    fits: &str,
    of: impl Params,
    most: usize,
) -> rusqlite::Result<Vec<Record>> {
    let sql = format!(
        "SELECT message_id, subject, at_ms, state, problem, recipients, copy, copy_at FROM mail_outbox
         WHERE {fits} ORDER BY at_ms DESC, id DESC LIMIT {most}"
    );
    db.prepare_cached(&sql)?.query_map(of, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Record> {
    let at = Timestamp::from_millisecond(row.get(2)?).unwrap_or_default();
    let copy_at: Option<String> = row.get(7)?;
    Ok(Record {
        message_id: row.get(0)?,
        subject: row.get(1)?,
        at: at.to_string(),
        state: State::of(&row.get::<_, String>(3)?),
        problem: row.get(4)?,
        recipients: parsed(5, &row.get::<_, String>(5)?)?,
        copy: copy_at.map(|at| parsed(7, &at)).transpose()?,
        copy_pending: row.get::<_, String>(6)? == "pending",
    })
}

fn parsed<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
