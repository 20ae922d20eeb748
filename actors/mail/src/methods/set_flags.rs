//! `mcp.mail.setFlags`.

use imap::FlagChange;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{Asked, FolderName};
use crate::listing::flag;
use crate::service::Mail;

/// Marks messages: as read (`\Seen`), important (`\Flagged`), answered, or with a word of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetFlags {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    folder: FolderName,
    /// The messages' UIDs.
    #[schemars(length(min = 1, max = 10_000))]
    uids: Vec<u32>,
    /// Flags that are set.
    #[serde(default)]
    #[schemars(length(max = 32))]
    add: Vec<String>,
    /// Flags that are taken away.
    #[serde(default)]
    #[schemars(length(max = 32))]
    remove: Vec<String>,
    /// The folder's `uid_validity` of an earlier answer: refused when the UIDs no longer mean the same messages.
    #[serde(default)]
    uid_validity: Option<u32>,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Flagged {
    /// `success`.
    status: &'static str,
}

impl Method for SetFlags {
    const NAME: &'static str = "mcp.mail.setFlags";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ENSURE };
    const RUN: Run = Run::Task;

    type Reply = Flagged;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Flagged, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        if self.add.is_empty() && self.remove.is_empty() {
            return Err(Error::invalid_params("neither add nor remove names a flag"));
        }
        for (change, words) in [(FlagChange::Add, &self.add), (FlagChange::Remove, &self.remove)] {
            if !words.is_empty() {
                let flags: Vec<_> = words.iter().map(|word| flag(word)).collect();
                let set = asked
                    .account
                    .set_flags(&self.folder.0, self.uid_validity, &self.uids, change, &flags)
                    .await;
                set.map_err(|error| asked.fault(&error))?;
            }
        }
        Ok(Flagged { status: "success" })
    }
}
