//! `mcp.fs.move`.

use protocol::{Cancel, Context, Effect, Error, Method, Run, Tier};
use rustix::fs::fsync;
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, Kind};
use crate::change::Status;
use crate::draft::{self, Onto};
use crate::duplicate::{self, Purpose};
use crate::etag::Condition;
use crate::fault::{At as _, Fault, What};
use crate::files::{self, Parent};
use crate::path::ClientPath;
use crate::remove;
use crate::service::Fs;

/// Moves or renames a file, link or directory.
///
/// `to` is the new path itself, not a directory to move into. Inside one root it happens at once, whatever the
/// size; between roots everything is copied, compared and only then deleted. An existing file is only replaced
/// with `overwrite`; directories are neither replaced nor merged. A link is moved itself, with the same text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// What to move, from the virtual root.
    from: ClientPath,
    /// The new path.
    to: ClientPath,
    /// Whether to replace a file at `to`.
    #[serde(default)]
    overwrite: bool,
    /// Move only if the etag of the file at `from` is this one; null or empty: always.
    #[serde(default)]
    if_match: Option<String>,
}

/// What was moved.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Moved {
    /// Where it was.
    from: String,
    /// Where it is.
    path: String,
    /// Always `success`.
    status: Status,
}

/// What is about to get a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'d> {
    pub(crate) overwrite: bool,
    pub(crate) if_match: Option<&'d str>,
    /// What will be there.
    pub(crate) holds: Kind,
}

impl Method for Move {
    const NAME: &'static str = "mcp.fs.move";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Blocking;

    type Reply = Moved;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Moved, Error> {
        Ok(self.relocate(context, fs)?)
    }
}

// === impl Move ===

impl Move {
    fn relocate(self, context: &Context, fs: &Fs) -> Result<Moved, Fault> {
        let from = fs.place_to_change(context, &self.from)?;
        let to = fs.place_to_change(context, &self.to)?;
        if from.path.contains(&to.path) {
            return Err(Fault::new(What::IntoItself, &from.path));
        }
        let source = Parent::open(&from)?;
        let target = Parent::open(&to)?;
        let held = fs.hold_both(source.key(), target.key());
        let found = source.look_at_something()?;
        let condition = Condition::parse(self.if_match.as_deref());
        condition.check(&source.dir, source.name, Some(&found), source.path, &context.cancel)?;
        let wanted = Destination { overwrite: self.overwrite, if_match: None, holds: found.kind };
        let onto = destination(&target, &wanted, &context.cancel)?;
        match draft::rename(&source.dir, source.name, &target.dir, target.name, onto) {
            Ok(()) => {
                fsync(&target.dir).at(target.path)?;
                fsync(&source.dir).at(source.path)?;
            }
            Err(Errno::XDEV) => {
                // Copying takes a while, and strangers share these locks.
                drop(held);
                carry_over(fs, &source, &target, &found, &wanted, &context.cancel)?;
            }
            Err(errno) => return Err(Fault::errno(errno, target.path)),
        }
        Ok(Moved { from: from.path.to_string(), path: to.path.to_string(), status: Status::Success })
    }
}

/// Copies to another file system, compares, and deletes the original, which must still be what was `found`. It
/// first leaves its name, so that nobody puts into a directory what would be lost with it.
fn carry_over(
    fs: &Fs,
    source: &Parent<'_>,
    target: &Parent<'_>,
    found: &Attributes,
    wanted: &Destination<'_>,
    cancel: &Cancel,
) -> Result<(), Fault> {
    let copy = duplicate::copy(source, target, Purpose::Move, fs.limits().scan_files, cancel)?;
    let doomed = draft::draft_name();
    {
        let _held = fs.hold_both(source.key(), target.key());
        let now = source.look_at_something()?;
        if (now.identity, now.modified) != (found.identity, found.modified) {
            return Err(Fault::new(What::Changed, source.path));
        }
        copy.publish(destination(target, wanted, cancel)?)?;
        draft::rename(&source.dir, source.name, &source.dir, &doomed, Onto::Nothing).at(source.path)?;
    }
    // The copy has its name: from here on there is no way back, so no signal stops it either.
    remove::tree(&source.dir, doomed.as_str(), source.path, &Cancel::new())?;
    fsync(&source.dir).at(source.path)
}

/// Whether and how `target` may get what is coming.
pub(crate) fn destination(
    target: &Parent<'_>,
    wanted: &Destination<'_>,
    cancel: &Cancel,
) -> Result<Onto, Fault> {
    files::creatable(target.path)?;
    let found = target.look()?;
    let condition = Condition::parse(wanted.if_match);
    condition.check(&target.dir, target.name, found.as_ref(), target.path, cancel)?;
    match found {
        None => Ok(Onto::Nothing),
        Some(found) if found.kind == Kind::Directory || wanted.holds == Kind::Directory => {
            Err(Fault::new(What::NotReplaceable, target.path))
        }
        Some(_) if !wanted.overwrite => Err(Fault::new(What::Exists, target.path)),
        Some(found) => draft::replaceable(target, &found).map(|()| Onto::Anything),
    }
}
