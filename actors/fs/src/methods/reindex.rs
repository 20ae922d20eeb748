//! `mcp.fs.reindex`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::path::ClientPath;
use crate::search::Search;

/// Reads files of the index again, whether or not they seem to have changed.
///
/// Not needed in daily use: changes are seen by themselves. Texts that stay the same keep their vectors.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reindex {
    /// The file or folder: it and everything below it that is in the index. Everything by default.
    #[serde(default = "ClientPath::top")]
    path: ClientPath,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Reindexed {
    /// How many files were read.
    files: u64,
}

impl Method for Reindex {
    const NAME: &'static str = "mcp.fs.reindex";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as reading everything takes.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24));

    type Reply = Reindexed;
    type Service = Search;

    async fn call(self, context: &Context, search: &Search) -> Result<Reindexed, Error> {
        let path = search.path_to_change(context, &self.path)?.to_string();
        let (before, _) = search.index.done();
        for ticket in search.index.renew(&path).await.map_err(Error::internal)? {
            ticket.done().await;
        }
        Ok(Reindexed { files: search.index.done().0 - before })
    }
}
