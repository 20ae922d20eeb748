//! `mcp.fs.watch`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::path::ClientPath;
use crate::service::Fs;
use crate::watch::Watched;

/// Tells when files or folders change, as `mcp.progress` notifications `{"path", "change"}` of this call, until it
/// is cancelled.
///
/// A file is told `modified`, `created` or `removed`; a folder when an entry of it is, but not what happens deeper.
/// A file that does not exist yet can be watched, its folder must exist. Changes that follow one another within a
/// tenth of a second are told as one, so look at what is there rather than counting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    /// The files and folders, from the virtual root: `/documents/letter.txt`.
    #[schemars(length(min = 1, max = 64))]
    paths: Vec<ClientPath>,
}

/// The call ends when it is cancelled or the service stops, so this is rarely seen.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ended {
    /// How many changes were told.
    told: u64,
}

impl Method for Watch {
    const NAME: &'static str = "mcp.fs.watch";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    /// A watcher watches for as long as it likes: its connection's end, or a cancel, ends it.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 365));

    type Reply = Ended;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Ended, Error> {
        let (fs, asking) = (fs.clone(), context.clone());
        let begun = tokio::task::spawn_blocking(move || Watched::begin(&fs, &asking, &self.paths));
        let mut watched = begun.await.map_err(Error::internal)??;
        let mut told = 0;
        while let Some(changes) = watched.next().await {
            for change in changes {
                context.progress(&change);
                told += 1;
            }
        }
        Ok(Ended { told })
    }
}
