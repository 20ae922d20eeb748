//! Copies files and trees, from handle to handle.
//!
//! A copy grows under a reserved name next to where it will be and gets its name when it is whole and on the disk:
//! whoever looks sees nothing or all of it. Links are copied as links, with the same text; pipes, sockets and
//! devices make the copy fail, for a copy that silently lacks something is worse than none.

use std::fs::{File, FileTimes, Permissions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use protocol::Cancel;
use rustix::fs::{
    Dir, FlockOperation, Mode, OFlags, copy_file_range, flock, fsync, mkdirat, openat, readlinkat, symlinkat,
};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY, TO_READ};
use crate::draft::{self, Onto};
use crate::etag;
use crate::fault::{At as _, Fault, What};
use crate::files::Parent;
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::remove::{self, DEPTH_MAX};

/// How much the kernel copies between two looks at the stop signal.
const STEP_BYTES: usize = 4 * 1024 * 1024;

/// Why something is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To have it twice.
    Copy,
    /// To delete the original afterwards: the copy keeps its times, and is read again and compared.
    Move,
}

/// A copy in the making.
struct Copying<'c> {
    purpose: Purpose,
    /// The original, for messages.
    path: &'c VirtualPath,
    cancel: &'c Cancel,
    /// How many files and directories may still be copied.
    left: u64,
    files: u64,
    bytes: u64,
}

/// What was copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copied {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// A whole copy that has no name yet; gone again unless it is given one.
#[derive(Debug)]
pub(crate) struct Nameless<'p> {
    to: &'p Parent<'p>,
    draft: String,
    pub(crate) copied: Copied,
    published: bool,
}

/// Copies what `from` names, everything that it holds, of at most `most` files, next to what `to` names.
pub(crate) fn copy<'p>(
    from: &Parent<'_>,
    to: &'p Parent<'p>,
    purpose: Purpose,
    most: u64,
    cancel: &Cancel,
) -> Result<Nameless<'p>, Fault> {
    let mut copying = Copying { purpose, path: from.path, cancel, left: most, files: 0, bytes: 0 };
    let copied = Copied { files: 0, bytes: 0 };
    let mut nameless = Nameless { to, draft: draft::draft_name(), copied, published: false };
    copying.one(from.dir.as_fd(), from.name, to.dir.as_fd(), nameless.draft.as_str(), 0)?;
    nameless.copied = Copied { files: copying.files, bytes: copying.bytes };
    Ok(nameless)
}

// === impl Nameless ===

impl Nameless<'_> {
    /// Gives the copy its name.
    pub(crate) fn publish(mut self, onto: Onto) -> Result<Copied, Fault> {
        let Parent { dir, name, path, .. } = self.to;
        draft::rename(dir, &self.draft, dir, name, onto).at(path)?;
        self.published = true;
        fsync(dir).at(path)?;
        Ok(self.copied)
    }
}

impl Drop for Nameless<'_> {
    fn drop(&mut self) {
        if !self.published {
            // The signal that stopped the copy must not stop its removal.
            let _ = remove::tree(&self.to.dir, self.draft.as_str(), self.to.path, &Cancel::new());
        }
    }
}

// === impl Copying ===

impl Copying<'_> {
    fn one(
        &mut self,
        from: BorrowedFd<'_>,
        name: impl Arg + Copy,
        to: BorrowedFd<'_>,
        new: impl Arg + Copy,
        depth: usize,
    ) -> Result<(), Fault> {
        Fault::unless_cancelled(self.cancel)?;
        let advice = "Copy its parts one by one.";
        self.left = self.left.checked_sub(1).ok_or_else(|| Fault::TooLarge {
            what: format!("'{}'", self.path),
            limit: self.files,
            unit: "files",
            advice,
        })?;
        let found = Attributes::at(from, name).at(self.path)?;
        self.files += 1;
        match found.kind {
            Kind::File => self.file(from, name, to, new),
            Kind::Directory if depth < DEPTH_MAX => self.directory(from, name, to, new, depth),
            Kind::Directory => Err(Fault::new(What::TooDeep, self.path)),
            Kind::Symlink => {
                let target = readlinkat(from, name, Vec::new()).at(self.path)?;
                symlinkat(target.as_c_str(), to, new).at(self.path)
            }
            Kind::Other => Err(Fault::new(What::HoldsSpecial, self.path)),
        }
    }

    fn file(
        &mut self,
        from: BorrowedFd<'_>,
        name: impl Arg,
        to: BorrowedFd<'_>,
        new: impl Arg,
    ) -> Result<(), Fault> {
        let original = File::from(beneath::child(from, name, TO_READ).at(self.path)?);
        let before = Attributes::of(&original).at(self.path)?;
        if before.kind != Kind::File {
            return Err(Fault::new(What::HoldsSpecial, self.path));
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = File::from(openat(to, new, flags, Mode::RUSR | Mode::WUSR).at(self.path)?);
        let _ = flock(&copy, FlockOperation::NonBlockingLockExclusive);
        self.bytes += self.content(&original, &copy)?;
        copy.set_permissions(Permissions::from_mode(before.mode & 0o1777)).at(self.path)?;
        if self.purpose == Purpose::Move {
            self.compare(&original, &copy)?;
            if let Some(modified) = time_of(&before) {
                copy.set_times(FileTimes::new().set_modified(modified)).at(self.path)?;
            }
        }
        let after = Attributes::of(&original).at(self.path)?;
        if (after.bytes, after.modified) != (before.bytes, before.modified) {
            return Err(Fault::new(What::Changed, self.path));
        }
        fsync(&copy).at(self.path)
    }

    /// Lets the kernel copy, which shares blocks where the file system can; by hand where it cannot.
    fn content(&self, original: &File, copy: &File) -> Result<u64, Fault> {
        let mut copied = 0;
        loop {
            Fault::unless_cancelled(self.cancel)?;
            match copy_file_range(original, None, copy, None, STEP_BYTES) {
                Ok(0) => return Ok(copied),
                Ok(bytes) => copied += bytes as u64,
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => break,
                Err(errno) => return Err(Fault::errno(errno, self.path)),
            }
        }
        let (mut original, mut copy) = (original, copy);
        let mut chunk = vec![0; etag::CHUNK_BYTES];
        loop {
            Fault::unless_cancelled(self.cancel)?;
            match original.read(&mut chunk).at(self.path)? {
                0 => return Ok(copied),
                bytes => copy.write_all(&chunk[..bytes]).at(self.path)?,
            }
            copied = copy.metadata().at(self.path)?.len();
        }
    }

    /// Reads both again, from the beginning.
    fn compare(&self, original: &File, copy: &File) -> Result<(), Fault> {
        use std::io::Seek as _;
        for mut file in [original, copy] {
            file.rewind().at(self.path)?;
        }
        let one = etag::of_file(original, self.path, self.cancel)?;
        let other = etag::of_file(copy, self.path, self.cancel)?;
        if one == other { Ok(()) } else { Err(Fault::new(What::Changed, self.path)) }
    }

    fn directory(
        &mut self,
        from: BorrowedFd<'_>,
        name: impl Arg,
        to: BorrowedFd<'_>,
        new: impl Arg + Copy,
        depth: usize,
    ) -> Result<(), Fault> {
        let original = beneath::child(from, name, DIRECTORY).at(self.path)?;
        let attributes = Attributes::of(&original).at(self.path)?;
        mkdirat(to, new, Mode::RWXU).at(self.path)?;
        let copy: OwnedFd = beneath::child(to, new, DIRECTORY).at(self.path)?;
        let _ = flock(&copy, FlockOperation::NonBlockingLockExclusive);
        for entry in Dir::read_from(&original).at(self.path)? {
            let entry = entry.at(self.path)?;
            let name = entry.file_name();
            if name == c"." || name == c".." || name.to_bytes().starts_with(RESERVED_PREFIX.as_bytes()) {
                continue;
            }
            self.one(original.as_fd(), name, copy.as_fd(), name, depth + 1)?;
        }
        let copy = File::from(copy);
        copy.set_permissions(Permissions::from_mode(attributes.mode & 0o1777)).at(self.path)?;
        fsync(&copy).at(self.path)
    }
}

fn time_of(found: &Attributes) -> Option<SystemTime> {
    let seconds = u64::try_from(found.modified.0).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, found.modified.1))
}
