//! Opens files beneath a root, and nowhere else.
//!
//! Confinement is the kernel's: every path is resolved from the root's handle with `RESOLVE_BENEATH` and
//! `RESOLVE_NO_MAGICLINKS`, so that no `..`, no link, no link of `/proc` and no rename during the call leads out.
//! Nothing here looks at a path first and opens it by name afterwards: a file is opened once, and all that is
//! learnt and done after that goes to the handle.
//!
//! Two steps, because almost no path has a link in it. The first is one `openat2` that refuses links. Only when
//! it meets one (or the kernel has no `openat2`) does cap-std resolve the path, and then the place where the
//! links ended is checked once more: the service's own directories are out of reach through links too.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::path::RESERVED_PREFIX;

/// Whether a link at the very end of the path is followed. Links before the end always are, beneath the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// Open what the link leads to.
    Followed,
    /// Open the link itself, or refuse it, as `flags` say.
    AsItIs,
}

/// For reading. Neither a FIFO without a writer nor a terminal can hold us up.
pub(crate) const TO_READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// For looking only: opens anything, has no effect on it.
pub(crate) const TO_LOOK: OFlags = OFlags::PATH;

/// For reading a directory's names, and for working on them.
pub(crate) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// Opens `inside`, a path relative to `root`.
pub(crate) fn open(root: &Dir, inside: &str, flags: OFlags, last: Last) -> std::io::Result<OwnedFd> {
    let nofollow = if last == Last::AsItIs { OFlags::NOFOLLOW } else { OFlags::empty() };
    let plain = openat2(
        root,
        inside,
        flags | nofollow | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS,
    );
    match plain {
        // NOSYS and PERM: no openat2 here (an old kernel, a seccomp filter). AGAIN: a rename was under way.
        Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {
            through_links(root, inside, flags, last)
        }
        other => Ok(other?),
    }
}

/// Opens `inside` if the kernel has the whole way there in its caches and on one file system, so that neither a
/// disk nor a network is waited for (`RESOLVE_CACHED`, Linux 5.12). Anything else is an error, which says nothing:
/// [`open`] finds out.
pub(crate) fn open_at_once(root: &Dir, inside: &str, flags: OFlags, last: Last) -> std::io::Result<OwnedFd> {
    let nofollow = if last == Last::AsItIs { OFlags::NOFOLLOW } else { OFlags::empty() };
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_XDEV
        | ResolveFlags::CACHED;
    Ok(openat2(root, inside, flags | nofollow | OFlags::CLOEXEC, Mode::empty(), resolve)?)
}

/// Whether the file system of `root` is on this machine, so that opening what is cached waits for nobody. The
/// numbers are those of linux/magic.h.
pub(crate) fn is_local(root: &Dir) -> bool {
    const LOCAL: &[i64] = &[
        0xEF53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683E, // btrfs
        0x0102_1994, // tmpfs
        0x794C_7630, // overlayfs
        0xF2F5_2010, // f2fs
        0x2FC1_2FC1, // zfs
    ];
    rustix::fs::fstatfs(root).is_ok_and(|found| LOCAL.contains(&found.f_type))
}

/// Opens the directory that `inside` names, for reading its names.
pub(crate) fn directory(root: &Dir, inside: &str) -> std::io::Result<OwnedFd> {
    open(root, inside, DIRECTORY, Last::Followed)
}

/// Opens `name` of the directory `dir`, itself and nothing it might lead to. Safe by construction: one name,
/// resolved from a handle, cannot leave the directory.
pub(crate) fn child(
    dir: impl AsFd,
    name: impl rustix::path::Arg,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    openat(dir, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// The slow step: cap-std follows the links, beneath the root.
fn through_links(root: &Dir, inside: &str, flags: OFlags, last: Last) -> std::io::Result<OwnedFd> {
    let (above, name) = inside.rsplit_once('/').unwrap_or((".", inside));
    let file = match last {
        Last::Followed => follow(root, inside, flags)?,
        Last::AsItIs => {
            let dir = follow(root, above, TO_LOOK | OFlags::DIRECTORY)?;
            child(&dir, name, flags)?
        }
    };
    if in_reserved_place(root.as_fd(), file.as_fd()) {
        return Err(Errno::NOENT.into());
    }
    Ok(file)
}

fn follow(root: &Dir, inside: &str, flags: OFlags) -> std::io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file: File = root.open_with(inside, &options)?.into_std();
    Ok(file.into())
}

/// Whether `file`, reached through links, lies in a directory of the service itself. Where it lies cannot be told
/// without `/proc`; then it counts as reserved.
fn in_reserved_place(root: BorrowedFd<'_>, file: BorrowedFd<'_>) -> bool {
    let (Some(root), Some(file)) = (place_of(root), place_of(file)) else {
        return true;
    };
    let Ok(inside) = file.strip_prefix(&root) else {
        return true;
    };
    inside.components().any(|part| match part {
        Component::Normal(name) => name.as_bytes().starts_with(RESERVED_PREFIX.as_bytes()),
        _ => false,
    })
}

/// Where the kernel says that an open file lies. For a decision, and for a program that is confined to the roots: never
/// shown to a caller, never opened here.
pub(crate) fn place_of(file: BorrowedFd<'_>) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStringExt as _;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let text = readlinkat(rustix::fs::CWD, Path::new(&link), Vec::new()).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(text.into_bytes())))
}
