//! The names in a directory, as clients may see them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use protocol::Cancel;
use rustix::fs::Dir;

use crate::attributes::{Attributes, Kind};
use crate::fault::{At as _, Fault};
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::question::Question;
use crate::written::Written;

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
    /// What files among them are like, by their place in the list, where that was asked already.
    pub(crate) looked: Vec<Option<Attributes>>,
    /// How many names are not UTF-8: no path in JSON could say them, so they are counted and not shown.
    pub(crate) unnameable: u64,
}

/// What a directory held when it was listed.
#[derive(Debug)]
pub(crate) struct Listed {
    list: Vec<Name>,
    looked: Vec<Option<Attributes>>,
    pub(crate) unnameable: u64,
    /// The first answers that were made of it alone: without details, and with them.
    pub(crate) written: [OnceLock<Written>; 2],
}

// === impl Listed ===

impl Listed {
    /// How many names it had.
    pub(crate) fn names(&self) -> usize {
        self.list.len()
    }

    /// Whether files were looked at.
    pub(crate) fn has_details(&self) -> bool {
        self.looked.len() == self.list.len()
    }

    /// Whether it answers a question without one to the kernel.
    pub(crate) fn answers(&self, question: Question) -> bool {
        question.is_of_names() || self.has_details() && self.looked.iter().all(Option::is_some)
    }
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
        Self { dir: None, list: Vec::new(), looked: Vec::new(), unnameable: 0 }
    }

    /// What is known to be in a directory.
    pub(crate) fn known(dir: OwnedFd, listed: &Listed) -> rustix::io::Result<Self> {
        let Listed { list, looked, unnameable, .. } = listed;
        let (list, looked, unnameable) = (list.clone(), looked.clone(), *unnameable);
        Ok(Self { dir: Some(Dir::new(dir)?), list, looked, unnameable })
    }

    /// What there is to know for the next call, files looked at if `details` are wanted.
    ///
    /// Only of files with one name does a watch of their directory tell everything: what has another name may be
    /// changed by way of that, and what is in a subdirectory changes the subdirectory. Those are asked about each time.
    pub(crate) fn listed(&mut self, details: bool) -> Listed {
        let look = |name: &Name| {
            let found = (name.kind == Kind::File).then(|| self.look(&name.text))?;
            found.filter(|found| found.kind == Kind::File && found.names == 1)
        };
        self.looked = if details { self.list.iter().map(look).collect() } else { Vec::new() };
        let (list, looked, unnameable) = (self.list.clone(), self.looked.clone(), self.unnameable);
        Listed { list, looked, unnameable, written: Default::default() }
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
