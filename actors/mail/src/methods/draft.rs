//! `mcp.mail.draft`.

use bytes::Bytes;
use imap::{Flag, Role};
use mime::{Bcc, compose};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::Asked;
use crate::letter::{Letter, invalid};
use crate::service::Mail;

/// Writes a draft into the account's folder of drafts, for a person to look at and to send. Nothing is sent.
///
/// With `reply_to_uid` it answers that message: to whoever answers go, with `Re:` and in its conversation.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub(crate) struct Draft {
    #[serde(flatten)]
    letter: Letter,
}

/// Where the draft is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Drafted {
    /// The folder.
    folder: String,
    /// Its UID there; null when the server does not say.
    uid: Option<u32>,
    /// What the UID means.
    uid_validity: Option<u32>,
    /// Its Message-ID.
    message_id: String,
}

impl Method for Draft {
    const NAME: &'static str = "mcp.mail.draft";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ADD };
    const RUN: Run = Run::Task;

    type Reply = Drafted;
    type Service = Mail;

    async fn call(self, context: &Context, mail: &Mail) -> Result<Drafted, Error> {
        let asked = Asked::of(mail, &self.letter.account_id)?;
        let id = Letter::message_id(&asked);
        let message = self.letter.message(context, mail, &asked, &id).await?;
        let bytes = compose(&message, Bcc::Written).map_err(|error| invalid("the draft", error))?;
        let folder = asked.account.folder_of(Role::Drafts).await.map_err(|error| asked.fault(&error))?;
        let folder = folder.ok_or_else(|| {
            asked.fault(&imap::Error::Unsupported { what: "a folder for drafts: make one called Drafts" })
        })?;
        let flags = [Flag::Draft, Flag::Seen];
        let put = asked.account.append(&folder, &flags, None, Bytes::from(bytes)).await;
        let put = put.map_err(|error| asked.fault(&error))?;
        Ok(Drafted {
            folder,
            uid: put.map(|put| put.uid),
            uid_validity: put.map(|put| put.uid_validity),
            message_id: id,
        })
    }
}
