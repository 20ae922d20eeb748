//! Regular files and directories, opened beneath a root and known to be what they are.

use std::fs::File;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt as _;

use rustix::io::{ReadWriteFlags, preadv2};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY, Last, TO_LOOK, TO_READ};
use crate::fault::{At as _, Fault, What};
use crate::path::VirtualPath;
use crate::roots::Place;

/// A regular file, open for reading.
#[derive(Debug)]
pub(crate) struct Regular {
    pub(crate) file: File,
    pub(crate) attributes: Attributes,
    /// Reading may not wait for a disk: what is not in the kernel's caches is an error.
    at_once: bool,
}

/// A directory in which a name is about to be looked at or changed.
#[derive(Debug)]
pub(crate) struct Parent<'p> {
    pub(crate) dir: OwnedFd,
    pub(crate) attributes: Attributes,
    /// A single name in it.
    pub(crate) name: &'p str,
    /// The path of the name, for messages.
    pub(crate) path: &'p VirtualPath,
}

// === impl Regular ===

impl Regular {
    /// Opens the file at `place`, through links as long as they stay beneath the root.
    pub(crate) fn open(place: &Place<'_>) -> Result<Self, Fault> {
        let file = place.open(TO_READ, Last::Followed).at(&place.path)?;
        Ok(Self { at_once: place.at_once, ..Self::known(file, &place.path)? })
    }

    /// Opens `name` of `dir`, which must not be a link.
    pub(crate) fn open_child(dir: impl AsFd, name: &str, path: &VirtualPath) -> Result<Self, Fault> {
        Self::known(beneath::child(dir, name, TO_READ).at(path)?, path)
    }

    /// Takes an opened file for what it is, if it is a regular one.
    pub(crate) fn known(file: OwnedFd, path: &VirtualPath) -> Result<Self, Fault> {
        let attributes = Attributes::of(&file).at(path)?;
        match attributes.kind {
            Kind::File => Ok(Self { file: file.into(), attributes, at_once: false }),
            Kind::Directory => Err(Fault::new(What::IsADirectory, path)),
            Kind::Symlink | Kind::Other => Err(Fault::new(What::Special, path)),
        }
    }

    /// Up to `bytes` from `offset`; fewer only at the end of the file.
    pub(crate) fn read_at(&self, offset: u64, bytes: usize, path: &VirtualPath) -> Result<Vec<u8>, Fault> {
        let mut content = vec![0; bytes];
        let mut filled = 0;
        while filled < bytes {
            // What was looked at without waiting is read as it was: another call would only say that nothing follows.
            if self.at_once && offset + filled as u64 == self.attributes.bytes {
                break;
            }
            match self.read_some(&mut content[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::io(error, path)),
            }
        }
        content.truncate(filled);
        Ok(content)
    }

    fn read_some(&self, into: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if self.at_once {
            let flags = ReadWriteFlags::NOWAIT;
            return Ok(preadv2(&self.file, &mut [IoSliceMut::new(into)], offset, flags)?);
        }
        self.file.read_at(into, offset)
    }

    /// The whole content, of at most `limit` bytes.
    pub(crate) fn read_whole(&self, limit: u64, path: &VirtualPath) -> Result<Vec<u8>, Fault> {
        let too_large = || Fault::TooLarge {
            what: format!("'{path}'"),
            limit,
            unit: "bytes",
            advice: "Read it in parts, and write what is new with mcp.fs.append.",
        };
        let bytes = self.attributes.bytes;
        if bytes > limit {
            return Err(too_large());
        }
        // One byte more than there was: a file that grew is noticed.
        let content = self.read_at(0, usize::try_from(bytes).map_err(|_| too_large())? + 1, path)?;
        if content.len() as u64 > limit { Err(too_large()) } else { Ok(content) }
    }
}

// === impl Parent ===

impl<'p> Parent<'p> {
    /// Opens the directory above `place`.
    pub(crate) fn open(place: &'p Place<'_>) -> Result<Self, Fault> {
        let (above, _) = place.parent()?;
        let name = place.path.name().unwrap_or_default();
        let dir = beneath::directory(&place.root.dir, above.inside()).at(&above.path)?;
        let attributes = Attributes::of(&dir).at(&above.path)?;
        Ok(Self { dir, attributes, name, path: &place.path })
    }

    /// What is at the name now; `None` where nothing is.
    pub(crate) fn look(&self) -> Result<Option<Attributes>, Fault> {
        match Attributes::at(&self.dir, self.name) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(Fault::errno(errno, self.path)),
        }
    }

    /// What is at the name now, which must be something.
    pub(crate) fn look_at_something(&self) -> Result<Attributes, Fault> {
        self.look()?.ok_or_else(|| Fault::new(What::NotFound, self.path))
    }

    /// What tells this name from every other.
    pub(crate) fn key(&self) -> (crate::attributes::Identity, &str) {
        (self.attributes.identity, self.name)
    }
}

/// Opens the directory at `place`, through links as long as they stay beneath the root.
pub(crate) fn directory(place: &Place<'_>) -> Result<OwnedFd, Fault> {
    beneath::open(&place.root.dir, place.inside(), DIRECTORY, Last::Followed).at(&place.path)
}

/// Looks at `place` itself, whatever it is, without any effect on it.
pub(crate) fn look(place: &Place<'_>) -> Result<Attributes, Fault> {
    let found = place.open(TO_LOOK, Last::AsItIs).at(&place.path)?;
    Attributes::of(&found).at(&place.path)
}

/// Refuses a name that nobody should make: control characters break terminals, scripts and sync tools. Existing
/// ones can be read, moved away and deleted.
pub(crate) fn creatable(path: &VirtualPath) -> Result<(), Fault> {
    let bad = path.name().is_some_and(|name| name.chars().any(char::is_control));
    if bad { Err(Fault::new(What::BadName, &path.as_str().escape_debug())) } else { Ok(()) }
}
