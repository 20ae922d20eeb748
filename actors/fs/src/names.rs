//! The names in a directory, as clients may see them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use protocol::Cancel;
use rustix::fs::Dir;

use crate::attributes::{Attributes, Kind};
use crate::fault::{At as _, Fault};
use crate::path::{RESERVED_PREFIX, VirtualPath};

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

/// An open directory and the names that were in it.
#[derive(Debug)]
pub(crate) struct Names {
    /// `None`: a directory that exists only here.
    dir: Option<Dir>,
    /// In the order of the file system.
    pub(crate) list: Vec<Name>,
    /// How many names are not UTF-8: no path in JSON could say them, so they are counted and not shown.
    pub(crate) unnameable: u64,
}

// === impl Names ===

impl Names {
    /// Reads all names, of which there may be `most`. Reserved names are left out.
    pub(crate) fn read(dir: OwnedFd, most: u64, path: &VirtualPath, cancel: &Cancel) -> Result<Self, Fault> {
        let mut names = Self::none();
        let mut dir = Dir::new(dir).at(path)?;
        while let Some(entry) = dir.read() {
            let entry = entry.at(path)?;
            let bytes = entry.file_name().to_bytes();
            if bytes == b"." || bytes == b".." || bytes.starts_with(RESERVED_PREFIX.as_bytes()) {
                continue;
            }
            if names.list.len() as u64 == most {
                return Err(Fault::TooLarge {
                    what: format!("The number of names in '{path}'"),
                    limit: most,
                    unit: "names",
                    advice: "Name what you need, or look into its subdirectories.",
                });
            }
            if names.list.len().is_multiple_of(256) {
                Fault::unless_cancelled(cancel)?;
            }
            let Ok(text) = std::str::from_utf8(bytes) else {
                names.unnameable += 1;
                continue;
            };
            let kind = match entry.file_type() {
                // Some file systems do not say; a name that is gone already is nothing to show.
                rustix::fs::FileType::Unknown => match Attributes::at(dir.fd().at(path)?, text) {
                    Ok(found) => found.kind,
                    Err(_) => continue,
                },
                known => known.into(),
            };
            names.list.push(Name { text: text.to_owned(), kind });
        }
        Ok(Self { dir: Some(dir), ..names })
    }

    /// No names, of no directory.
    pub(crate) fn none() -> Self {
        Self { dir: None, list: Vec::new(), unnameable: 0 }
    }

    /// What the kernel says about `name`; `None` when it is gone already.
    pub(crate) fn look(&self, name: &str) -> Option<Attributes> {
        Attributes::at(self.dir.as_ref()?.fd().ok()?, name).ok()
    }

    /// The directory's handle.
    pub(crate) fn dir(&self, path: &VirtualPath) -> Result<BorrowedFd<'_>, Fault> {
        self.dir.as_ref().map_or(Err(rustix::io::Errno::NOENT), Dir::fd).at(path)
    }
}

/// Whether a directory holds nothing, unfinished drafts of the service aside.
pub(crate) fn is_empty(dir: impl AsFd, path: &VirtualPath) -> Result<bool, Fault> {
    for entry in Dir::read_from(dir).at(path)? {
        let entry = entry.at(path)?;
        let bytes = entry.file_name().to_bytes();
        if bytes != b"." && bytes != b".." && !bytes.starts_with(crate::draft::DRAFT_PREFIX.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}
