//! Removes trees for good, from handle to handle: every directory is opened as a name of its parent's handle and
//! never through a link, so whatever is swapped meanwhile, only what lies below is removed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use protocol::Cancel;
use rustix::fs::{AtFlags, Dir, FileType, unlinkat};
use rustix::io::Errno;

use crate::beneath::{self, DIRECTORY};
use crate::fault::{At as _, Fault, What};
use crate::path::VirtualPath;

/// How deep a tree may be. Every level holds one handle open, and a process has 1024.
pub(crate) const DEPTH_MAX: usize = 128;

/// Removes `name` of `dir` and all that it holds; links themselves, never what they lead to. That it is gone
/// already is no error. `path` is for messages.
pub(crate) fn tree(
    dir: impl AsFd,
    name: impl rustix::path::Arg + Copy,
    path: &VirtualPath,
    cancel: &Cancel,
) -> Result<(), Fault> {
    descend(dir.as_fd(), name, path, cancel, 0)
}

fn descend(
    dir: BorrowedFd<'_>,
    name: impl rustix::path::Arg + Copy,
    path: &VirtualPath,
    cancel: &Cancel,
    depth: usize,
) -> Result<(), Fault> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says ISDIR, POSIX says PERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(Fault::errno(errno, path)),
    }
    if depth == DEPTH_MAX {
        return Err(Fault::new(What::TooDeep, path));
    }
    let inner = beneath::child(dir, name, DIRECTORY).at(path)?;
    contents(&inner, path, cancel, depth)?;
    match unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Fault::errno(errno, path)),
    }
}

fn contents(dir: &OwnedFd, path: &VirtualPath, cancel: &Cancel, depth: usize) -> Result<(), Fault> {
    for entry in Dir::read_from(dir).at(path)? {
        Fault::unless_cancelled(cancel)?;
        let entry = entry.at(path)?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if entry.file_type() == FileType::Directory {
            descend(dir.as_fd(), name, path, cancel, depth + 1)?;
        } else {
            match unlinkat(dir, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(_) => descend(dir.as_fd(), name, path, cancel, depth + 1)?,
            }
        }
    }
    Ok(())
}
