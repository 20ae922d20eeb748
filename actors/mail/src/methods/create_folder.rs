//! `mcp.mail.createFolder`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{Asked, FolderName};
use crate::service::Mail;

/// Makes a folder in a mail account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateFolder {
    /// The account, by its id.
    account_id: String,
    /// Its whole name, as the server writes those of other folders: `Archive/2026`.
    folder: FolderName,
}

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    /// The folder.
    folder: String,
}

impl Method for CreateFolder {
    const NAME: &'static str = "mcp.mail.createFolder";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ADD };
    const RUN: Run = Run::Task;

    type Reply = Created;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Created, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        asked.account.create_folder(&self.folder.0).await.map_err(|error| asked.fault(&error))?;
        Ok(Created { folder: self.folder.0 })
    }
}
