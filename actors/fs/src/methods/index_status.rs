//! `mcp.fs.indexStatus`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::path::ClientPath;
use crate::search::Search;

/// Says what is in the index that `mcp.fs.search` searches, how far it is, and which model it is made with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexStatus {
    /// Of which files: at and below this path. Everything by default.
    #[serde(default = "ClientPath::top")]
    path: ClientPath,
}

/// How the index is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// The files and folders that are kept current.
    watched: Vec<String>,
    /// Files at and below the path that can be found.
    files: u64,
    /// Files there of which nothing can be found: no text, too long, damaged.
    skipped: u64,
    /// Pieces of those files.
    chunks: u64,
    /// Distinct texts among the pieces.
    texts: u64,
    /// Texts of all files that can be found by meaning.
    embeddings: u64,
    /// Texts of all files that are still to be read by the model.
    embeddings_waiting: u64,
    /// Files and folders that are still to be looked at.
    files_waiting: u64,
    /// What makes the vectors, when it is loaded.
    model: Option<String>,
    /// Why files are not read just now, or texts are found by words only; null when nothing is wrong.
    trouble: Option<String>,
    /// Memory of the vectors, in bytes.
    memory_bytes: u64,
}

impl Method for IndexStatus {
    const NAME: &'static str = "mcp.fs.indexStatus";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Status;
    type Service = Search;

    async fn call(self, context: &Context, search: &Search) -> Result<Status, Error> {
        let path = search.path(context, &self.path)?;
        let status = search.status(context, &path).await?;
        // What a caller may not see is not told by way of what is watched.
        let context_sees = |path: &String| search.path(context, &ClientPath(path.clone())).is_ok();
        Ok(Status {
            watched: status.watched.into_iter().filter(context_sees).collect(),
            files: status.files,
            skipped: status.skipped,
            chunks: status.chunks,
            texts: status.texts,
            embeddings: status.vectors,
            embeddings_waiting: status.wanting,
            files_waiting: status.waiting,
            model: status.model,
            trouble: status.behind.or(status.trouble),
            memory_bytes: status.memory,
        })
    }
}
