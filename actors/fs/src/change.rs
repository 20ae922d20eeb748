//! What the methods that change files have in common.

use std::os::fd::OwnedFd;

use protocol::Cancel;
use rustix::fs::{Mode, fsync, mkdirat};
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::Serialize;

use crate::beneath::{self, DIRECTORY};
use crate::content::Encoding;
use crate::draft::{self, Draft, Onto};
use crate::etag::Condition;
use crate::fault::{At as _, Fault};
use crate::files::{self, Parent};
use crate::path::VirtualPath;
use crate::roots::Place;
use crate::service::Fs;

/// The original's `status`: a call that failed is answered with an error, never with another status.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Done.
    Success,
}

/// The bytes to write, if they are not too many.
pub(crate) fn decode(content: String, encoding: Encoding, limit: u64) -> Result<Vec<u8>, Fault> {
    let bytes = encoding.decode(content)?;
    if bytes.len() as u64 > limit {
        return Err(Fault::TooLarge {
            what: "The content".to_owned(),
            limit,
            unit: "bytes",
            advice: "Write the first part and add the others with mcp.fs.append.",
        });
    }
    Ok(bytes)
}

/// Gives the name that `parent` holds new content, if `condition` holds.
pub(crate) fn replace(
    fs: &Fs,
    parent: &Parent<'_>,
    content: &[u8],
    condition: &Condition,
    cancel: &Cancel,
) -> Result<(), Fault> {
    // Refuse early what can be seen to be refused, before anything is written.
    let old = parent.look()?;
    if let Some(old) = &old {
        draft::replaceable(parent, old)?;
    }
    let mut draft = Draft::begin(parent, old.as_ref())?;
    draft.write(content)?;
    Fault::unless_cancelled(cancel)?;
    let (dir, name) = parent.key();
    let _held = fs.hold(dir, name);
    let now = parent.look()?;
    if let Some(now) = &now {
        draft::replaceable(parent, now)?;
    }
    condition.check(&parent.dir, name, now.as_ref(), parent.path, cancel)?;
    // Under `none`, a program outside cannot slip a file in either.
    let onto = if *condition == Condition::Nothing { Onto::Nothing } else { Onto::Anything };
    draft.publish(onto)
}

/// Creates the directories above `place` that are missing.
pub(crate) fn make_parents(place: &Place<'_>) -> Result<(), Fault> {
    let (above, _) = place.parent()?;
    make_directories(&above).map(|_| ())
}

/// Creates the directory at `place` and the missing ones above it; whether it was missing itself.
pub(crate) fn make_directories(place: &Place<'_>) -> Result<bool, Fault> {
    match files::directory(place) {
        Ok(_) => return Ok(false),
        Err(Fault::Refused { what: crate::fault::What::NotFound, .. }) => {}
        Err(fault) => return Err(fault),
    }
    make_parents(place)?;
    let parent = Parent::open(place)?;
    make_directory(&parent)
}

/// Creates one directory; whether it was missing.
pub(crate) fn make_directory(parent: &Parent<'_>) -> Result<bool, Fault> {
    files::creatable(parent.path)?;
    match mkdirat(&parent.dir, parent.name, Mode::from_bits_retain(0o777)) {
        Ok(()) => {
            fsync(&parent.dir).at(parent.path)?;
            Ok(true)
        }
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(Fault::errno(errno, parent.path)),
    }
}

/// Opens the directory `name` of `dir`, itself.
pub(crate) fn child_directory(dir: &OwnedFd, name: &str, path: &VirtualPath) -> Result<OwnedFd, Fault> {
    beneath::child(dir, name, DIRECTORY).at(path)
}
