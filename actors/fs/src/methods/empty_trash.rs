//! `mcp.fs.emptyTrash`.

use jiff::Timestamp;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::Status;
use crate::fault::Fault;
use crate::service::Fs;

/// Removes for good what is in the trash: all of it, or what was deleted some days ago.
///
/// This cannot be undone: use it only when the person asked for exactly that.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyTrash {
    /// Remove only what was deleted at least so many days ago; 0 is everything.
    #[serde(default)]
    older_than_days: u32,
}

/// What was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Emptied {
    /// Always `success`.
    status: Status,
    /// How many items were removed.
    removed: u64,
}

impl Method for EmptyTrash {
    const NAME: &'static str = "mcp.fs.emptyTrash";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Blocking;

    type Reply = Emptied;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Emptied, Error> {
        Ok(self.empty(context, fs)?)
    }
}

// === impl EmptyTrash ===

impl EmptyTrash {
    fn empty(self, context: &Context, fs: &Fs) -> Result<Emptied, Fault> {
        let now = Timestamp::now();
        let mut removed = 0;
        for (root, trash) in fs.trashes(context)? {
            if root.writable() {
                removed += trash.discard_older(self.older_than_days, now, &context.cancel)?;
            }
        }
        Ok(Emptied { status: Status::Success, removed })
    }
}
