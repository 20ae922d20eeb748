//! What the kernel says about one file: taken from a handle, or of a name inside a directory's handle, never
//! through a link.

use std::os::fd::AsFd;

use jiff::Timestamp;
use jiff::tz::Offset;
use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, statx};
use rustix::path::Arg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sort of thing a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link, whatever it leads to.
    Symlink,
    /// A pipe, socket or device.
    Other,
}

/// What the kernel says about one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes {
    pub(crate) kind: Kind,
    pub(crate) bytes: u64,
    /// Seconds and nanoseconds since 1970.
    pub(crate) modified: (i64, u32),
    /// Permission bits.
    pub(crate) mode: u32,
    /// How many names the file has.
    pub(crate) names: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) identity: Identity,
}

/// Tells one file from every other on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: (u32, u32),
    inode: u64,
}

// === impl Kind ===

impl From<FileType> for Kind {
    fn from(found: FileType) -> Self {
        match found {
            FileType::Directory => Self::Directory,
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Symlink,
            _ => Self::Other,
        }
    }
}

// === impl Attributes ===

impl Attributes {
    /// Of an open file, which may be open by `O_PATH` only.
    pub(crate) fn of(file: impl AsFd) -> rustix::io::Result<Self> {
        statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).map(Self::from)
    }

    /// Of `name` in the directory `dir`; of a link itself.
    pub(crate) fn at(dir: impl AsFd, name: impl Arg) -> rustix::io::Result<Self> {
        statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS).map(Self::from)
    }

    /// The size as the original reported it.
    pub(crate) fn size(&self) -> i64 {
        match self.kind {
            Kind::Directory => -1,
            _ => i64::try_from(self.bytes).unwrap_or(i64::MAX),
        }
    }

    /// The time of the last change, as Python's `isoformat` writes it; `None` where the file system has nonsense.
    pub(crate) fn modified_at(&self) -> Option<String> {
        let (seconds, nanoseconds) = self.modified;
        let time = Timestamp::new(seconds, nanoseconds.cast_signed()).ok()?;
        Some(iso(time))
    }
}

/// `2026-01-31T12:00:00.123456+00:00`.
pub(crate) fn iso(time: Timestamp) -> String {
    let civil = Offset::UTC.to_datetime(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.subsec_nanosecond() / 1000,
    )
}

impl From<Statx> for Attributes {
    fn from(found: Statx) -> Self {
        let mode = u32::from(found.stx_mode);
        Self {
            kind: FileType::from_raw_mode(mode).into(),
            bytes: found.stx_size,
            modified: (found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec),
            mode: mode & 0o7777,
            names: found.stx_nlink,
            owner: (found.stx_uid, found.stx_gid),
            identity: Identity { device: (found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino },
        }
    }
}
