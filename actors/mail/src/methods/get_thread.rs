//! `mcp.mail.getThread`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::conversation::Conversation;
use crate::listing::Row;
use crate::service::Mail;
use crate::untrusted;

/// Lists the conversation that a message belongs to, as far as it is in the same folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetThread {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The UID of one of its messages.
    uid: u32,
    /// The folder's `uid_validity` of an earlier answer.
    #[serde(default)]
    uid_validity: Option<u32>,
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Thread {
    /// What it is about, without `Re:` and the like.
    subject: String,
    /// Its messages, each behind the one that it answers.
    messages: Vec<Member>,
    /// What the UIDs mean.
    uid_validity: u32,
    /// Whose words these are.
    untrusted: &'static str,
}

/// A message in its conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Member {
    /// How many messages above it it answers; 0 for the first.
    depth: usize,
    /// The message.
    message: Row,
}

impl Method for GetThread {
    const NAME: &'static str = "mcp.mail.getThread";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Thread;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Thread, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let found = Conversation::of(&asked, &self.folder.0, self.uid_validity, self.uid).await?;
        let member = |(depth, message)| Member { depth, message };
        Ok(Thread {
            subject: found.subject,
            messages: found.members.into_iter().map(member).collect(),
            uid_validity: found.uid_validity,
            untrusted: untrusted::NOTE,
        })
    }
}
