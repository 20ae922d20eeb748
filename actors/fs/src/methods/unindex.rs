//! `mcp.fs.unindex`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::path::ClientPath;
use crate::search::Search;

/// Takes files out of the index that `mcp.fs.search` searches. The files themselves stay as they are.
///
/// What lies below another folder that is kept current stays in the index: use `.llmbasedosignore` to leave it out there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unindex {
    /// The file or folder: it and everything below it.
    path: ClientPath,
}

/// What was taken out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Unindexed {
    /// How many files are no longer found.
    files: usize,
    /// How many files and folders are no longer kept current.
    unwatched: usize,
}

impl Method for Unindex {
    const NAME: &'static str = "mcp.fs.unindex";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Task;

    type Reply = Unindexed;
    type Service = Search;

    async fn call(self, context: &Context, search: &Search) -> Result<Unindexed, Error> {
        let path = search.path_to_change(context, &self.path)?.to_string();
        let (files, unwatched) = search.index.unwatch(&path).await.map_err(Error::internal)?;
        Ok(Unindexed { files, unwatched })
    }
}
