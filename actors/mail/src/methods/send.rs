//! `mcp.mail.send`.

use mime::{Address, Bcc, Compose, compose};
use protocol::{Code, Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use smtp::Envelope;
use tokio::sync::oneshot;

use crate::account::Asked;
use crate::keeper::Ask;
use crate::letter::{Letter, invalid};
use crate::outbox::{Entry, Recipient};
use crate::sending::{Job, Sent, addresses};
use crate::service::Mail;

/// Sends a message, to those alone whom the account's `recipients` in `mail_accounts.yaml` allow; nobody by default.
///
/// The answer says for each recipient whether the server accepted the message, rejected it, or whether nobody knows.
/// Asked again with the same `idempotency_key` it is not sent again: the answer says what became of it. Without a key,
/// the same message within a day is the same message. A copy is put into the folder for sent mail. With `reply_to_uid` it
/// answers that message, as `mcp.mail.draft` does.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub(crate) struct Send {
    #[serde(flatten)]
    letter: Letter,
    /// A name of your own for this message, such as a UUID: asked again under it, it is not sent twice.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    idempotency_key: Option<String>,
}

impl Method for Send {
    const NAME: &'static str = "mcp.mail.send";
    const TIER: Tier = Tier::Pro;
    // What is sent cannot be taken back.
    const EFFECT: Effect = Effect { open_world: true, ..Effect::REPLACE };
    const RUN: Run = Run::Task;

    type Reply = Sent;
    type Service = Mail;

    async fn call(self, context: &Context, mail: &Mail) -> Result<Sent, Error> {
        let asked = Asked::of(mail, &self.letter.account_id)?;
        if asked.settings().recipients.is_empty() {
            let text = format!(
                "The account '{}' sends nothing: `recipients` in mail_accounts.yaml says to whom it may.",
                asked.id
            );
            return Err(Error::new(Code::MailAccount, text).with_data(json!({ "kind": "sending_is_off" })));
        }
        let id = Letter::message_id(&asked);
        let message = self.letter.message(context, mail, &asked, &id).await?;
        let to = recipients(&asked, &message)?;
        let build = |bcc| compose(&message, bcc).map_err(|error| invalid("the message", error));
        let bytes = build(Bcc::LeftOut)?;
        let copy = asked.settings().saves_sent().then(|| build(Bcc::Written)).transpose()?;
        let envelope = Envelope::new(&asked.settings().email, to.clone())
            .ok_or_else(|| Error::invalid_params("an address has something in it that no server takes"))?;
        let letter = serde_json::to_vec(&self.letter).map_err(Error::internal)?;
        let entry = Entry {
            account: asked.id.clone(),
            key: self.idempotency_key,
            asked: *blake3::hash(&letter).as_bytes(),
            caller: context.caller.name.clone(),
            message_id: id,
            subject: message.subject.clone(),
            recipients: to.into_iter().map(Recipient::new).collect(),
            copy,
        };
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job { entry, envelope, message: bytes });
        asked.keeper().await.cast(Ask::Send(job, reply)).map_err(|_| Error::unavailable("mail"))?;
        answer.await.unwrap_or_else(|_| Err(Error::interrupted("mail", true)))
    }
}

/// Everybody who would get it, if all of them may.
fn recipients(asked: &Asked, message: &Compose) -> Result<Vec<String>, Error> {
    let all = [&message.to, &message.cc, &message.bcc];
    let to = addresses(all.into_iter().flatten().map(Address::email));
    if to.is_empty() {
        return Err(Error::invalid_params("to: it is for nobody; name at least one recipient"));
    }
    let refused: Vec<&String> = to.iter().filter(|to| !asked.settings().may_write_to(to)).collect();
    if refused.is_empty() {
        return Ok(to);
    }
    let named: Vec<&str> = refused.iter().map(|to| to.as_str()).collect();
    let text = format!(
        "The account '{}' may not write to {}: `recipients` in mail_accounts.yaml does not have them. Nothing was sent.",
        asked.id,
        named.join(", ")
    );
    Err(Error::new(Code::MailAccount, text)
        .with_data(json!({ "kind": "recipient_not_allowed", "recipients": named })))
}
