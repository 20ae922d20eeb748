//! `mcp.mail.delete`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::account::{Asked, FolderName};
use crate::elsewhere::Elsewhere;
use crate::service::Mail;

/// Throws messages away: moves them to the trash, from where they can be moved back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delete {
    /// The account, by its id.
    account_id: String,
    /// The folder that they are in, by its whole name.
    folder: FolderName,
    /// The messages' UIDs.
    #[schemars(length(min = 1, max = 10_000))]
    uids: Vec<u32>,
    /// The folder's `uid_validity` of an earlier answer: refused when the UIDs no longer mean the same messages.
    #[serde(default)]
    uid_validity: Option<u32>,
}

impl Method for Delete {
    const NAME: &'static str = "mcp.mail.delete";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::DESTROY };
    const RUN: Run = Run::Task;

    type Reply = Elsewhere;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Elsewhere, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let gone = asked.account.trash(&self.folder.0, self.uid_validity, &self.uids).await;
        gone.map(Elsewhere::from).map_err(|error| asked.fault(&error))
    }
}
