//! Adding to the end of a file.
//!
//! An append is one `write(2)` on a handle with `O_APPEND`, then `fsync`: it never overwrites anything, and two
//! appends never mix. It is the one change that is not a rename, so a reader may see it before it is on the disk,
//! and after a power cut a part of it may be there. A part that did not fit on the disk is taken back.
//!
//! A file that has several names is not touched, because another of them may lie outside the root: the one name
//! gets a new file with the longer content, as with `mcp.fs.write`.

use std::fs::File;
use std::io;
use std::io::Write as _;

use protocol::Cancel;
use rustix::fs::{OFlags, fsync, ftruncate};

use crate::attributes::{Attributes, Kind};
use crate::beneath;
use crate::draft::{self, Draft, Onto};
use crate::etag::{self, Condition};
use crate::fault::{At as _, Fault, What};
use crate::files::{Parent, Regular};
use crate::service::Fs;

const TO_APPEND: OFlags = OFlags::RDWR.union(OFlags::APPEND).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Adds `content` to the file that `parent` names, creating it where nothing is. The etag of the whole, unless
/// that is larger than what one read returns.
pub(crate) fn append(
    fs: &Fs,
    parent: &Parent<'_>,
    content: &[u8],
    condition: &Condition,
    cancel: &Cancel,
) -> Result<Option<String>, Fault> {
    let (dir, name) = parent.key();
    let _held = fs.hold(dir, name);
    let found = parent.look()?;
    condition.check(&parent.dir, name, found.as_ref(), parent.path, cancel)?;
    let Some(found) = found else {
        let mut draft = Draft::begin(parent, None)?;
        draft.write(content)?;
        draft.publish(Onto::Nothing)?;
        return Ok(Some(etag::of_bytes(content)));
    };
    draft::replaceable(parent, &found)?;
    let file = File::from(beneath::child(&parent.dir, name, TO_APPEND).at(parent.path)?);
    let now = Attributes::of(&file).at(parent.path)?;
    if now.kind != Kind::File {
        return Err(Fault::new(What::Special, parent.path));
    }
    if now.names > 1 {
        return rewrite(fs, parent, &now, content);
    }
    write_once(&file, content, now.bytes).at(parent.path)?;
    fsync(&file).at(parent.path)?;
    if now.bytes + content.len() as u64 > fs.limits().read_bytes {
        return Ok(None);
    }
    let whole = Regular::open_child(&parent.dir, name, parent.path)?;
    Ok(Some(etag::of_bytes(&whole.read_whole(u64::MAX, parent.path)?)))
}

/// One write, or none: what was written of a piece that did not fit is cut off again.
fn write_once(mut file: &File, content: &[u8], size: u64) -> io::Result<()> {
    let written = loop {
        match file.write(content) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(written) => break written,
        }
    };
    if written == content.len() {
        return Ok(());
    }
    // Nobody else appends through this process now; a program that did is not cut.
    if file.metadata()?.len() == size + written as u64 {
        ftruncate(file, size)?;
    }
    Err(rustix::io::Errno::NOSPC.into())
}

fn rewrite(fs: &Fs, parent: &Parent<'_>, old: &Attributes, content: &[u8]) -> Result<Option<String>, Fault> {
    let file = Regular::open_child(&parent.dir, parent.name, parent.path)?;
    let mut whole = file.read_whole(fs.limits().write_bytes, parent.path)?;
    whole.extend_from_slice(content);
    let mut draft = Draft::begin(parent, Some(old))?;
    draft.write(&whole)?;
    draft.publish(Onto::Anything)?;
    Ok(Some(etag::of_bytes(&whole)))
}
