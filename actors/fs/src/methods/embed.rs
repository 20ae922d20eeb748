//! `mcp.fs.embed`.

use std::time::{Duration, Instant};

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::files;
use crate::path::ClientPath;
use crate::search::Search;

/// Puts a file or a folder into the index that `mcp.fs.search` searches, and keeps it current from then on.
///
/// Text, Markdown, HTML, source code, JSON, YAML, CSV, PDF and DOCX are read; hidden files and what `.gitignore` and
/// `.llmbasedosignore` exclude are not. What was indexed already is not done again. The call ends when everything can be
/// found; its progress says how far it is. It may be cancelled: the work goes on without it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embed {
    /// The file or folder, from the virtual root.
    path: ClientPath,
    /// Whether with everything below the folder, and not only what is in it.
    #[serde(default)]
    recursive: bool,
    /// Whether to wait until everything can be found; otherwise it is done after the answer.
    #[serde(default = "yes")]
    wait: bool,
}

/// How often it is told how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

fn yes() -> bool {
    true
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Embedded {
    /// The path.
    path_processed: String,
    /// How many files were read because of this call: those that were new or had changed.
    files_embedded_this_run: u64,
    /// How many pieces of text can be found by meaning, of all files.
    total_embeddings_in_index: u64,
    /// How it is: `ok`; `working` when it is not waited for; or why it is not complete, or texts are found by words only.
    status: String,
    /// How many files at and below the path can be found.
    files: u64,
    /// How many cannot, because there is no text in them or they are too long.
    skipped: u64,
}

impl Method for Embed {
    const NAME: &'static str = "mcp.fs.embed";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// A large folder takes an hour to read by meaning.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24));

    type Reply = Embedded;
    type Service = Search;

    async fn call(self, context: &Context, search: &Search) -> Result<Embedded, Error> {
        let path = search.path_to_change(context, &self.path)?;
        if let Some(place) = search.fs.look_up(context, &self.path)? {
            files::look(&place)?;
        }
        let (read_before, _) = search.index.done();
        let ticket = search.index.watch(path.as_str(), self.recursive).await.map_err(Error::internal)?;
        if self.wait {
            tokio::pin! { let looked = ticket.done(); }
            let (mut is_done, mut told) = (false, Instant::now());
            loop {
                if is_done {
                    search.index.news().await;
                } else {
                    tokio::select! {
                        () = &mut looked => is_done = true,
                        () = search.index.news() => {}
                    }
                }
                // A look at how it is goes over all files: not after each of them.
                if told.elapsed() < PROGRESS_EVERY && !is_done {
                    continue;
                }
                told = Instant::now();
                let status = search.status(context, &path).await?;
                context.progress(&json!({
                    "files": status.files, "files_waiting": status.waiting,
                    "embeddings": status.vectors, "embeddings_waiting": status.wanting,
                }));
                let is_stuck = status.trouble.is_some() || status.behind.is_some();
                if is_done && (status.wanting == 0 || is_stuck) {
                    break;
                }
            }
        }
        let status = search.status(context, &path).await?;
        let said = match (&status.behind, &status.trouble, self.wait) {
            (Some(why), ..) => format!("not complete: {why}"),
            (None, Some(why), _) => format!("words only: {why}"),
            (None, None, true) => "ok".to_owned(),
            (None, None, false) => "working".to_owned(),
        };
        Ok(Embedded {
            path_processed: path.to_string(),
            files_embedded_this_run: search.index.done().0 - read_before,
            total_embeddings_in_index: status.vectors,
            status: said,
            files: status.files,
            skipped: status.skipped,
        })
    }
}
