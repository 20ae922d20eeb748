//! A file being written: complete and on the disk before it gets its name, gone if it never does.
//!
//! The draft lies in the directory where it will be, so that one rename publishes it, and bears a reserved name
//! that no method shows. Whoever reads the name meanwhile sees the old content or the new, never a part. After a
//! power cut the name has one of the two as well: content first, then the rename, then the directory.
//!
//! A crash can leave a draft behind; the sweep removes it at the next start. A draft that is being written is
//! locked, which is how the sweep of another process tells the two apart.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt as _, fchown};

use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, RenameFlags, flock, fsync, openat, renameat, renameat_with,
    unlinkat,
};

use crate::attributes::{Attributes, Kind};
use crate::fault::{At as _, Fault, What};
use crate::files::Parent;

/// What every unfinished file or tree is called, before eight random letters.
pub(crate) const DRAFT_PREFIX: &str = ".llmbasedos-tmp-";

/// Whether a name may already be taken when a draft or a moved file gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onto {
    /// No: it must be free.
    Nothing,
    /// Whatever is there goes.
    Anything,
}

/// A file being written next to where it will be.
#[derive(Debug)]
pub(crate) struct Draft<'p> {
    parent: &'p Parent<'p>,
    name: String,
    pub(crate) file: File,
    published: bool,
}

// === impl Draft ===

impl<'p> Draft<'p> {
    /// Begins a draft of what `parent` names; it takes over mode and owner of `old`, where there is one.
    pub(crate) fn begin(parent: &'p Parent<'p>, old: Option<&Attributes>) -> Result<Self, Fault> {
        let name = draft_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A new file gets what the umask leaves, like any other; a draft of an old one is private until it has
        // the old one's mode.
        let mode = if old.is_some() { Mode::RUSR | Mode::WUSR } else { Mode::from_bits_retain(0o666) };
        let file = File::from(openat(&parent.dir, name.as_str(), flags, mode).at(parent.path)?);
        let draft = Self { parent, name, file, published: false };
        // Nobody else knows the name, so it is free; where locks do not exist, age alone protects the draft.
        let _ = flock(&draft.file, FlockOperation::NonBlockingLockExclusive);
        if let Some(old) = old {
            draft.take_over(old)?;
        }
        Ok(draft)
    }

    fn take_over(&self, old: &Attributes) -> Result<(), Fault> {
        let mine = Attributes::of(&self.file).at(self.parent.path)?;
        if mine.owner != old.owner {
            // Only root may give files away; for anybody else the file becomes theirs, as with any editor.
            let _ = fchown(&self.file, Some(old.owner.0), Some(old.owner.1));
        }
        // New content never inherits set-user-id or set-group-id, as with write(2).
        self.file.set_permissions(Permissions::from_mode(old.mode & 0o1777)).at(self.parent.path)
    }

    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), Fault> {
        self.file.write_all(content).at(self.parent.path)
    }

    /// Brings the content to the disk and gives it its name.
    pub(crate) fn publish(mut self, onto: Onto) -> Result<(), Fault> {
        let Parent { dir, name, path, .. } = self.parent;
        fsync(&self.file).at(path)?;
        rename(dir, &self.name, dir, name, onto).map_err(|errno| Fault::errno(errno, path))?;
        self.published = true;
        fsync(dir).at(path)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.published {
            let _ = unlinkat(&self.parent.dir, self.name.as_str(), AtFlags::empty());
        }
    }
}

/// A name for an unfinished file or tree.
pub(crate) fn draft_name() -> String {
    format!("{DRAFT_PREFIX}{}", random_letters())
}

/// Sixteen hexadecimal digits that nobody can guess, so that nobody can lay a file in the way.
pub(crate) fn random_letters() -> String {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the kernel's generator is up long before any program");
    format!("{:016x}", u64::from_ne_bytes(random))
}

/// Renames from name to name between two directories' handles.
pub(crate) fn rename(
    from: impl AsFd,
    old: &str,
    to: impl AsFd,
    new: &str,
    onto: Onto,
) -> rustix::io::Result<()> {
    match onto {
        Onto::Nothing => renameat_with(from, old, to, new, RenameFlags::NOREPLACE),
        Onto::Anything => renameat(from, old, to, new),
    }
}

/// What must be true of what lies at a name before new content replaces it: a regular file that its owner has not
/// protected. A file mode without any `w` counts even for root, for it is how people say "do not touch".
pub(crate) fn replaceable(parent: &Parent<'_>, found: &Attributes) -> Result<(), Fault> {
    let what = match found.kind {
        Kind::Directory => What::IsADirectory,
        Kind::Symlink => What::Link,
        Kind::Other => What::Special,
        Kind::File if found.mode & 0o222 == 0 || !may_write(parent) => What::WriteProtected,
        Kind::File => return Ok(()),
    };
    Err(Fault::new(what, parent.path))
}

fn may_write(parent: &Parent<'_>) -> bool {
    use rustix::fs::{Access, accessat};
    !matches!(
        accessat(&parent.dir, parent.name, Access::WRITE_OK, AtFlags::EACCESS),
        Err(rustix::io::Errno::ACCESS)
    )
}
