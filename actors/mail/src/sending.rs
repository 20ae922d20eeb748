//! A message handed to its server: once, whatever happens, and written down at each step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use imap::Outcome as Certainty;
use protocol::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use smtp::{Delivery, Envelope, Session, Verdict};
use store::StoreError;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::fault::fault;
use crate::outbox::{Begun, Entry, Outbox, Outcome, Recipient, Record, State};
use crate::post::Post;

/// How long a caller waits for the copy to be in its folder; it gets there anyway.
const COPY: Duration = Duration::from_secs(10);
/// How long a caller waits for somebody else who sends the same message.
const SAME: Duration = Duration::from_secs(30);

/// A message to be sent.
pub(crate) struct Job {
    pub(crate) entry: Entry,
    pub(crate) envelope: Envelope,
    /// As it is sent: without those who get a hidden copy.
    pub(crate) message: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sent {
    /// The message, and what became of it for each recipient.
    pub(crate) message: Record,
    /// Whether it had been asked for before: then this is what became of it, and nothing was sent now.
    pub(crate) replayed: bool,
}

/// Sends it, or says what became of it before.
pub(crate) async fn send(post: &Post, outbox: &Outbox, to_file: &Notify, job: Job) -> Result<Sent, Error> {
    let Job { entry, envelope, message } = job;
    let entry = Arc::new(entry);
    let began = async {
        loop {
            // Before it is looked, so that the end of the other is not missed.
            let ended = outbox.ended_one();
            match outbox.begin(Arc::clone(&entry)).await? {
                Begun::UnderWay => ended.await,
                begun => return Ok::<_, StoreError>(begun),
            }
        }
    };
    let begun = timeout(SAME, began).await;
    let working = match begun.unwrap_or(Ok(Begun::UnderWay)).map_err(Error::internal)? {
        Begun::New(working) => working,
        Begun::Before(message) => return Ok(Sent { message, replayed: true }),
        Begun::UnderWay => {
            let text = "This message is being sent by another call; ask again later what became of it.";
            return Err(Error::new(Code::MailServer, text)
                .with_data(json!({ "kind": "under_way", "retry_safe": true })));
        }
        Begun::Other => {
            return Err(Error::invalid_params(
                "idempotency_key: it was used for another message; each message needs a key of its own",
            ));
        }
    };
    let id = working.id();
    let mut recipients = entry.recipients.clone();
    let handed = hand_over(post, outbox, id, &envelope, &message, &mut recipients).await;
    drop(working);
    handed?;
    to_file.notify_one();
    let record = outbox.record_when_filed(id, COPY).await.map_err(Error::internal)?;
    let message = record.ok_or_else(|| Error::internal("a message that was sent is not in the outbox"))?;
    Ok(Sent { message, replayed: false })
}

/// The steps. An error: nobody has it, and that is written down.
async fn hand_over(
    post: &Post,
    outbox: &Outbox,
    id: i64,
    envelope: &Envelope,
    message: &[u8],
    recipients: &mut [Recipient],
) -> Result<(), Error> {
    let (mut session, verdicts) = match offered(post, envelope, message.len()).await {
        Ok(offered) => offered,
        Err(error) => return Err(not_sent(post, outbox, id, recipients, &error).await),
    };
    for (recipient, verdict) in recipients.iter_mut().zip(&verdicts) {
        recipient.judge(verdict);
    }
    if !verdicts.contains(&Verdict::Taken) {
        let problem = Some("the server takes it for nobody".to_owned());
        outbox.ended(id, State::NotSent, recipients, problem).await.map_err(Error::internal)?;
        session.quit().await;
        return Ok(());
    }
    // Nothing is handed over that is not written down: a disk that is full sends nothing.
    outbox.handing_over(id, recipients).await.map_err(Error::internal)?;
    let delivery = session.deliver(message).await;
    let (state, outcome, reply, problem) = match &delivery {
        Delivery::Taken(reply) => (State::Sent, Outcome::Accepted, Some(reply), None),
        Delivery::Refused(reply) => {
            (State::NotSent, Outcome::Rejected, Some(reply), Some("the server refused it".to_owned()))
        }
        Delivery::NotBegun(error) => return Err(not_sent(post, outbox, id, recipients, error).await),
        Delivery::Unknown(error) => (State::Unknown, Outcome::Unknown, None, Some(error.to_string())),
    };
    for recipient in recipients.iter_mut() {
        recipient.end(outcome, reply);
    }
    if let Err(error) = outbox.ended(id, state, recipients, problem).await {
        tracing::error!(account = post.id(), %error, "a message was handed over, and that cannot be written down");
        let text = "The message was handed over, and that cannot be written down: look whether it arrived before it is \
                    sent again.";
        return Err(
            Error::new(Code::MailServer, text).with_data(json!({ "kind": "in_doubt", "retry_safe": false }))
        );
    }
    if !matches!(delivery, Delivery::Unknown(_)) {
        session.quit().await;
    }
    Ok(())
}

async fn offered(
    post: &Post,
    envelope: &Envelope,
    length: usize,
) -> Result<(Session, Vec<Verdict>), imap::Error> {
    let token = post.account().access_token().await?;
    let mut session = Session::open(post.settings(), token.as_ref(), post.limits()).await?;
    let verdicts = session.offer(envelope, length).await?;
    Ok((session, verdicts))
}

async fn not_sent(
    post: &Post,
    outbox: &Outbox,
    id: i64,
    recipients: &[Recipient],
    error: &imap::Error,
) -> Error {
    let recipients: Vec<Recipient> =
        recipients.iter().map(|recipient| Recipient::new(recipient.address.clone())).collect();
    if let Err(error) = outbox.ended(id, State::NotSent, &recipients, Some(error.to_string())).await {
        tracing::warn!(account = post.id(), %error, "that a message was not sent cannot be written down");
    }
    debug_assert!(
        !matches!(error, imap::Error::Lost { outcome: Certainty::Unknown, .. }),
        "what is in doubt is no failure"
    );
    fault(post.id(), error)
}

/// Everybody who gets the message, once.
pub(crate) fn addresses<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known = BTreeSet::new();
    all.filter(|address| known.insert(address.to_lowercase())).map(str::to_owned).collect()
}
