//! Tidies up after crashes and lets the trash expire. Run at start and once a day, never in the way of a call.
//!
//! What it may remove is certain: names that begin with the service's own prefix, that nobody has a lock on and
//! that nobody has touched for a minute; notes without an item; items older than the settings keep them.

use std::os::fd::{AsFd, OwnedFd};

use jiff::Timestamp;
use protocol::Cancel;
use rustix::fs::{Dir, FileType, FlockOperation, flock};

use crate::attributes::Attributes;
use crate::beneath::{self, DIRECTORY, TO_READ};
use crate::draft::DRAFT_PREFIX;
use crate::fault::{At as _, Fault};
use crate::path::VirtualPath;
use crate::remove::{self, DEPTH_MAX};
use crate::roots::Root;
use crate::service::Fs;
use crate::trash::{TRASH, Trash, is_old};

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Unfinished files and trees that a crash had left behind.
    pub drafts: u64,
    /// Notes in the trash whose items never came.
    pub notes: u64,
    /// Items in the trash that had been there for longer than the settings keep them.
    pub expired: u64,
}

/// Sweeps every root that accepts changes. A root that cannot be swept does not keep the others from it.
pub(crate) fn sweep(fs: &Fs, cancel: &Cancel) -> Swept {
    let mut swept = Swept::default();
    for root in fs.roots().iter().filter(|root| root.writable()) {
        if let Err(fault) = one(fs, root, cancel, &mut swept) {
            tracing::warn!(root = %root.at, error = ?fault, "this root could not be swept to its end");
        }
    }
    swept
}

fn one(fs: &Fs, root: &Root, cancel: &Cancel, swept: &mut Swept) -> Result<(), Fault> {
    if let Some(trash) = Trash::open(root)? {
        swept.notes += trash.sweep(cancel)?;
        swept.expired += trash.discard_older(fs.limits().trash_keep_days, Timestamp::now(), cancel)?;
    }
    let top = beneath::directory(&root.dir, ".").at(&root.at)?;
    let mut left = fs.limits().scan_files;
    drafts(&top, &root.at, cancel, &mut left, 0, swept)
}

fn drafts(
    dir: &OwnedFd,
    path: &VirtualPath,
    cancel: &Cancel,
    left: &mut u64,
    depth: usize,
    swept: &mut Swept,
) -> Result<(), Fault> {
    for entry in Dir::read_from(dir).at(path)? {
        Fault::unless_cancelled(cancel)?;
        let entry = entry.at(path)?;
        let name = entry.file_name();
        if name == c"." || name == c".." || name.to_bytes() == TRASH.as_bytes() {
            continue;
        }
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        if name.to_bytes().starts_with(DRAFT_PREFIX.as_bytes()) {
            if is_abandoned(dir, name) {
                remove::tree(dir, name, path, cancel)?;
                swept.drafts += 1;
            }
        } else if entry.file_type() == FileType::Directory
            && depth < DEPTH_MAX
            && let Ok(inner) = beneath::child(dir, name, DIRECTORY)
        {
            drafts(&inner, path, cancel, left, depth + 1, swept)?;
        }
    }
    Ok(())
}

/// Whether nobody works on a draft: not in this process, not in another one.
fn is_abandoned(dir: impl AsFd, name: &std::ffi::CStr) -> bool {
    let Ok(draft) = beneath::child(dir, name, TO_READ) else {
        // A link that was being copied.
        return true;
    };
    Attributes::of(&draft).is_ok_and(|found| is_old(&found))
        && flock(&draft, FlockOperation::NonBlockingLockExclusive).is_ok()
}
