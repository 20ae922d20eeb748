//! `mcp.sync.listRemotes`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Sync;

/// Lists the remotes of rclone's configuration: their names and kinds, and nothing of what is secret in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRemotes {}

/// The remotes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Remotes {
    /// Their names, in order; a side of a job is `name:folder`.
    remotes: Vec<String>,
    /// What each is.
    details: Vec<Remote>,
}

/// A remote.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Remote {
    /// Its name.
    name: String,
    /// What kind of storage it is, as rclone calls it: `s3`, `webdav`, `crypt`.
    r#type: String,
    /// Why jobs may not name it; null when they may.
    problem: Option<String>,
}

impl Method for ListRemotes {
    const NAME: &'static str = "mcp.sync.listRemotes";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;
    const ORIGINAL_FIELD: Option<&'static str> = Some("remotes");

    type Reply = Remotes;
    type Service = Sync;

    async fn call(self, _: &Context, sync: &Sync) -> Result<Remotes, Error> {
        let known = sync.remotes()?;
        let details = known.names().map(|name| Remote {
            name: name.to_owned(),
            r#type: known.kind(name).unwrap_or_default().to_owned(),
            problem: sync.objection(&known, name),
        });
        Ok(Remotes { remotes: known.names().map(str::to_owned).collect(), details: details.collect() })
    }
}
