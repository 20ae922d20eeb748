//! `mcp.fs.delete`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use rustix::fs::{AtFlags, fsync, unlinkat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::Kind;
use crate::change::{self, Status};
use crate::draft::{self, Onto};
use crate::etag::Condition;
use crate::fault::{At as _, Fault, What};
use crate::files::Parent;
use crate::names;
use crate::path::ClientPath;
use crate::remove;
use crate::service::Fs;
use crate::trash::Trash;

/// Deletes a file, a link or a directory by moving it to the trash, from where `mcp.fs.restore` brings it back.
///
/// A directory that is not empty needs `recursive`. A link is deleted itself; what it leads to stays. With
/// `permanent` nothing is kept and nothing can be undone: use it only when the person asked for exactly that. A
/// root can never be deleted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delete {
    /// The file, link or directory, from the virtual root: `/documents/old.txt`.
    path: ClientPath,
    /// Whether a directory may be deleted with all that it holds.
    #[serde(default)]
    recursive: bool,
    /// Whether to delete for good instead of moving to the trash.
    #[serde(default)]
    permanent: bool,
    /// Delete only if the file's etag is this one; `*`: only if something is there; null or empty: always. A
    /// directory has no etag.
    #[serde(default)]
    if_match: Option<String>,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// The path.
    path: String,
    /// Always `success`.
    status: Status,
    /// What `mcp.fs.restore` takes to bring it back; null when it was deleted for good.
    trash_id: Option<String>,
}

impl Method for Delete {
    const NAME: &'static str = "mcp.fs.delete";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Blocking;

    type Reply = Deleted;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Deleted, Error> {
        Ok(self.delete(context, fs)?)
    }
}

// === impl Delete ===

impl Delete {
    fn delete(self, context: &Context, fs: &Fs) -> Result<Deleted, Fault> {
        let place = fs.place_to_change(context, &self.path)?;
        let parent = Parent::open(&place)?;
        let condition = Condition::parse(self.if_match.as_deref());
        let (dir, name) = parent.key();
        let held = fs.hold(dir, name);
        let found = parent.look_at_something()?;
        condition.check(&parent.dir, name, Some(&found), parent.path, &context.cancel)?;
        if found.kind == Kind::Directory && !self.recursive {
            let inner = change::child_directory(&parent.dir, name, parent.path)?;
            if !names::is_empty(&inner, parent.path)? {
                return Err(Fault::new(What::NotEmpty, parent.path));
            }
        }
        let trash_id = match (self.permanent, found.kind) {
            (false, _) => Some(Trash::open_or_create(place.root)?.take(&parent, place.inside(), &found)?),
            (true, Kind::Directory) => {
                let doomed = doom(&parent)?;
                // From here on nobody finds it any more, and removing it may take a while.
                drop(held);
                remove::tree(&parent.dir, doomed.as_str(), parent.path, &context.cancel)?;
                None
            }
            (true, _) => {
                unlinkat(&parent.dir, parent.name, AtFlags::empty()).at(parent.path)?;
                fsync(&parent.dir).at(parent.path)?;
                None
            }
        };
        Ok(Deleted { path: place.path.to_string(), status: Status::Success, trash_id })
    }
}

/// Gives a directory a reserved name, so that it is gone at once and as a whole. Should removing it be stopped
/// half-way, the sweep removes the rest.
fn doom(parent: &Parent<'_>) -> Result<String, Fault> {
    let doomed = draft::draft_name();
    draft::rename(&parent.dir, parent.name, &parent.dir, &doomed, Onto::Nothing).at(parent.path)?;
    fsync(&parent.dir).at(parent.path)?;
    Ok(doomed)
}
