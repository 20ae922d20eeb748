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
    /// The same of the last change of anything, content or not: the kernel's to set, and nobody else's.
    pub(crate) changed: (i64, u32),
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

impl Identity {
    /// Device and inode.
    pub(crate) fn numbers(self) -> (u64, u64) {
        let (major, minor) = self.device;
        (u64::from(major) << 32 | u64::from(minor), self.inode)
    }
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

/// `2026-01-31T12:00:00.123456+00:00`. Digit by digit: a listing has one for every entry, and the machinery of
/// formatting would be a quarter of its cost.
pub(crate) fn iso(time: Timestamp) -> String {
    let civil = Offset::UTC.to_datetime(time);
    let mut text = String::with_capacity(32);
    if civil.year() < 0 {
        text.push('-');
    }
    digits(&mut text, civil.year().unsigned_abs().into(), 1000);
    for (before, number) in [
        ('-', civil.month()),
        ('-', civil.day()),
        ('T', civil.hour()),
        (':', civil.minute()),
        (':', civil.second()),
    ] {
        text.push(before);
        digits(&mut text, number.unsigned_abs().into(), 10);
    }
    text.push('.');
    digits(&mut text, civil.subsec_nanosecond().unsigned_abs() / 1000, 100_000);
    text.push_str("+00:00");
    text
}

/// The digits of `number`, as many as `place` has.
fn digits(text: &mut String, mut number: u32, mut place: u32) {
    while place > 0 {
        let digit = u8::try_from(number / place % 10).unwrap_or_default();
        text.push(char::from(b'0' + digit));
        number %= place;
        place /= 10;
    }
}

impl From<Statx> for Attributes {
    fn from(found: Statx) -> Self {
        let mode = u32::from(found.stx_mode);
        Self {
            kind: FileType::from_raw_mode(mode).into(),
            bytes: found.stx_size,
            modified: (found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec),
            changed: (found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec),
            mode: mode & 0o7777,
            names: found.stx_nlink,
            owner: (found.stx_uid, found.stx_gid),
            identity: Identity { device: (found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_python_writes_them() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00.000000+00:00"),
            (1_769_860_800, 123_456_789, "2026-01-31T12:00:00.123456+00:00"),
            (-1, 1_000, "1969-12-31T23:59:59.000001+00:00"),
            (253_402_207_200, 999_999_999, "9999-12-30T22:00:00.999999+00:00"),
        ] {
            let time =
                Timestamp::from_second(seconds).unwrap() + jiff::SignedDuration::from_nanos(nanoseconds);
            assert_eq!(iso(time), text);
        }
    }
}
