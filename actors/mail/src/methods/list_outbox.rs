//! `mcp.mail.listOutbox`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::Asked;
use crate::outbox::Record;
use crate::service::Mail;

/// Lists what an account was asked to send, and what became of it: the newest first, for 90 days. Asks no server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOutbox {
    /// The account, by its id.
    account_id: String,
    /// How many at most.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 200))]
    limit: usize,
}

fn twenty() -> usize {
    20
}

/// Messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// The newest first.
    messages: Vec<Record>,
}

impl Method for ListOutbox {
    const NAME: &'static str = "mcp.mail.listOutbox";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Listed;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Listed, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let outbox = mail.outbox().ok_or_else(|| Error::unavailable("mail"))?;
        let messages = outbox.latest(&asked.id, self.limit).await.map_err(Error::internal)?;
        Ok(Listed { messages })
    }
}
