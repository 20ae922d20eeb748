//! `mcp.fs.watch`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::path::ClientPath;
use crate::service::Fs;
use crate::watch::Watched;

/// Tells when files or folders change, as `mcp.progress` notifications `{"path", "change"}` of this call, until it
/// is cancelled.
///
/// The first notification is `{"watching": [paths]}`: what changes after it is told. A path that cannot be watched is
/// not in it; the call fails when none can. A file is told `modified`, `created` or `removed`; a folder when an entry of it is, but not what happens deeper.
/// A file that does not exist yet can be watched, its folder must exist. Changes that follow one another within a
/// tenth of a second are told as one, so look at what is there rather than counting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    /// The files and folders, from the virtual root: `/documents/letter.txt`.
    #[schemars(length(min = 1, max = 64))]
    paths: Vec<ClientPath>,
    /// End after so many seconds; 0 is when the call is cancelled.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86_400))]
    seconds: u64,
}

/// What there was to tell until the time was over.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ended {
    /// How many changes were told.
    told: u64,
}

impl Method for Watch {
    const NAME: &'static str = "mcp.fs.watch";
    const TIER: Tier = Tier::Pro;
    const TOOL: bool = false;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    /// A watcher watches for as long as it likes: its connection's end, or a cancel, ends it.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 365));

    type Reply = Ended;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Ended, Error> {
        let (fs, asking, paths) = (fs.clone(), context.clone(), self.paths);
        let begun = tokio::task::spawn_blocking(move || Watched::begin(&fs, &asking, &paths));
        let mut watched = begun.await.map_err(Error::internal)??;
        context.progress(&json!({ "watching": watched.paths() }));
        let mut told = 0;
        let watching = async {
            while let Some(changes) = watched.next().await {
                for change in changes {
                    context.progress(&change);
                    told += 1;
                }
            }
        };
        if self.seconds == 0 {
            watching.await;
        } else {
            // The time being over is how it is meant to end.
            let _ = tokio::time::timeout(Duration::from_secs(self.seconds), watching).await;
        }
        Ok(Ended { told })
    }
}
