//! `mcp.sync.deleteJob`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::refusal::{no_such, shown};
use crate::service::Sync;

/// Forgets a job that is defined. Those that were run by its name go on, and stay in the history.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteJob {
    /// What it is called.
    name: String,
}

/// It is forgotten.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// What it was called.
    name: String,
}

impl Method for DeleteJob {
    const NAME: &'static str = "mcp.sync.deleteJob";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Task;

    type Reply = Deleted;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Deleted, Error> {
        let known = sync.journal().definitions().await?;
        let known =
            known.iter().any(|one| one.name == self.name && sync.shows(&context.caller.tier, &one.task));
        if !known {
            return Err(no_such(
                "no_such_definition",
                format!(
                    "No job is defined as '{}'; mcp.sync.listJobs has those that are.",
                    shown(&self.name)
                ),
            ));
        }
        sync.journal().undefine(&self.name).await?;
        Ok(Deleted { name: self.name })
    }
}
