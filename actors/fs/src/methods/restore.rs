//! `mcp.fs.restore`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{self, Status};
use crate::fault::{Fault, What};
use crate::files::{self, Parent};
use crate::path::{self, ClientPath, VirtualPath};
use crate::roots::Place;
use crate::service::Fs;

/// Brings something back from the trash, to where it was or to another path of the same root.
///
/// Missing directories on the way are created. Nothing is ever replaced: if something else is at the path by now,
/// give another one in `to`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restore {
    /// The `trash_id` that `mcp.fs.delete` returned or `mcp.fs.trash` lists.
    trash_id: String,
    /// Where to bring it; null or empty: where it was.
    #[serde(default)]
    to: Option<ClientPath>,
}

/// What was brought back.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Restored {
    /// Where it is now.
    path: String,
    /// Always `success`.
    status: Status,
    /// Its id in the trash, which is used up.
    trash_id: String,
}

impl Method for Restore {
    const NAME: &'static str = "mcp.fs.restore";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ADD;
    const RUN: Run = Run::Blocking;

    type Reply = Restored;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Restored, Error> {
        Ok(self.restore(context, fs)?)
    }
}

// === impl Restore ===

impl Restore {
    fn restore(self, context: &Context, fs: &Fs) -> Result<Restored, Fault> {
        let unknown = || Fault::new(What::NotInTrash, &path::shown(&self.trash_id));
        let mut trashes = fs.trashes(context)?.into_iter();
        let (root, trash, note) = trashes
            .find_map(|(root, trash)| trash.note(&self.trash_id).map(|note| (root, trash, note)))
            .ok_or_else(unknown)?;
        let path: VirtualPath = match self.to.as_ref().filter(|to| !to.0.is_empty()) {
            Some(to) => to.0.parse()?,
            None => note.path(root).ok_or_else(unknown)?,
        };
        let place: Place<'_> = fs.place_to_change(context, &ClientPath(path.to_string()))?;
        if place.root.at != root.at {
            return Err(Fault::Params(format!("'to' must be in the same root, '{}'", root.at)));
        }
        files::creatable(&place.path)?;
        change::make_parents(&place)?;
        let parent = Parent::open(&place)?;
        let (dir, name) = parent.key();
        let _held = fs.hold(dir, name);
        trash.give_back(&note, &parent)?;
        Ok(Restored { path: place.path.to_string(), status: Status::Success, trash_id: note.id })
    }
}
