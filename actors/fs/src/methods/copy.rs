//! `mcp.fs.copy`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::r#move::{Destination, destination};
use crate::attributes::Kind;
use crate::change::Status;
use crate::duplicate::{self, Purpose};
use crate::fault::{Fault, What};
use crate::files::Parent;
use crate::path::ClientPath;
use crate::service::Fs;

/// Copies a file, or with `recursive` a directory with all that it holds.
///
/// `to` is the new path itself, not a directory to copy into. The copy appears when it is complete. An existing
/// file is only replaced with `overwrite`; directories are neither replaced nor merged. Links are copied as links.
/// A tree that holds a pipe, socket or device cannot be copied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copy {
    /// What to copy, from the virtual root.
    from: ClientPath,
    /// The path of the copy.
    to: ClientPath,
    /// Whether to replace a file at `to`.
    #[serde(default)]
    overwrite: bool,
    /// Whether a directory may be copied.
    #[serde(default)]
    recursive: bool,
    /// Copy only if the etag of the file at `to` is this one; `none`: only if nothing is there; null or empty:
    /// always.
    #[serde(default)]
    if_match: Option<String>,
}

/// What was copied.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Copied {
    /// What was copied.
    from: String,
    /// The path of the copy.
    path: String,
    /// Always `success`.
    status: Status,
    /// How many files, directories and links.
    files: u64,
    /// How many bytes of content.
    bytes: u64,
}

impl Method for Copy {
    const NAME: &'static str = "mcp.fs.copy";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Blocking;

    type Reply = Copied;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Copied, Error> {
        Ok(self.copy(context, fs)?)
    }
}

// === impl Copy ===

impl Copy {
    fn copy(self, context: &Context, fs: &Fs) -> Result<Copied, Fault> {
        let from = fs.place(context, &self.from)?;
        let to = fs.place_to_change(context, &self.to)?;
        if from.path.contains(&to.path) {
            return Err(Fault::new(What::IntoItself, &from.path));
        }
        let source = Parent::open(&from)?;
        let target = Parent::open(&to)?;
        let found = source.look_at_something()?;
        if found.kind == Kind::Directory && !self.recursive {
            return Err(Fault::new(What::NeedsRecursive, &from.path));
        }
        let wanted =
            Destination { overwrite: self.overwrite, if_match: self.if_match.as_deref(), holds: found.kind };
        // Looked at twice: before the work, to refuse at once, and after it, for copying takes a while.
        destination(&target, &wanted, &context.cancel)?;
        let most = fs.limits().scan_files;
        let copy = duplicate::copy(&source, &target, Purpose::Copy, most, &context.cancel)?;
        let (dir, name) = target.key();
        let _held = fs.hold(dir, name);
        let copied = copy.publish(destination(&target, &wanted, &context.cancel)?)?;
        Ok(Copied {
            from: from.path.to_string(),
            path: to.path.to_string(),
            status: Status::Success,
            files: copied.files,
            bytes: copied.bytes,
        })
    }
}
