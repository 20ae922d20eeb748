//! The roots: host folders under virtual names, each opened once, and the way from a client's path to a place in
//! one of them.
//!
//! A root that a caller's tier does not include does not exist for that caller: its name is "not found", even
//! where another root has a real directory of that name.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::OFlags;

use crate::beneath::{self, Last};
use crate::config::{Mode, Root as Declared};
use crate::fault::{Fault, What};
use crate::path::VirtualPath;

/// One folder, opened.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) at: VirtualPath,
    pub(crate) dir: Dir,
    /// Its file system is on this machine.
    pub(crate) local: bool,
    mode: Mode,
    tiers: Vec<String>,
}

/// Why the file service cannot start. For the operator, so it names host folders.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `at` is neither `/` nor `/name`.
    #[error("fs.roots: '{at}' is not a place for a root: write '/' or '/' and one name")]
    At {
        /// The setting.
        at: String,
    },
    /// Two roots at one place.
    #[error("fs.roots: two roots are at '{at}': give each a name of its own")]
    Twice {
        /// The place.
        at: String,
    },
    /// The folder cannot be opened.
    #[error("fs.roots: the folder {} of root '{at}' cannot be opened: create it (mkdir -p), or correct `path` and its permissions", path.display())]
    Folder {
        /// The root.
        at: String,
        /// The host folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// One root's folder holds another's, so that what one forbids the other would allow.
    #[error(
        "fs.roots: the folder of root '{inner}' lies in the folder of root '{outer}', so one would give away what the other withholds: use separate folders"
    )]
    Overlap {
        /// The root whose folder holds the other.
        outer: String,
        /// The root whose folder lies in the other.
        inner: String,
    },
}

/// All roots, longest name first, `/` last.
#[derive(Debug)]
pub(crate) struct Roots(Vec<Root>);

/// A place in a root that the caller may know of.
#[derive(Clone, Debug)]
pub(crate) struct Place<'fs> {
    pub(crate) root: &'fs Root,
    pub(crate) path: VirtualPath,
    /// Nothing may be waited for: what is not in the kernel's caches is an error.
    pub(crate) at_once: bool,
}

// === impl Root ===

impl Root {
    /// Whether callers of `tier` see it.
    pub(crate) fn shown_to(&self, tier: &str) -> bool {
        self.tiers.is_empty() || self.tiers.iter().any(|name| name.eq_ignore_ascii_case(tier))
    }

    /// Whether it accepts changes.
    pub(crate) fn writable(&self) -> bool {
        self.mode == Mode::ReadWrite
    }
}

// === impl Roots ===

impl Roots {
    /// Opens every folder.
    pub(crate) fn open(declared: &[Declared]) -> Result<Self, OpenError> {
        let mut roots = Vec::with_capacity(declared.len());
        let mut folders: Vec<(PathBuf, String)> = Vec::new();
        for Declared { at, path, mode, tiers } in declared {
            let place = at.parse::<VirtualPath>().ok().filter(|place| place.names().count() <= 1);
            let place = place.ok_or_else(|| OpenError::At { at: at.clone() })?;
            let at = place.to_string();
            let failed = |source| OpenError::Folder { at: at.clone(), path: path.clone(), source };
            let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed)?;
            let folder = path.canonicalize().map_err(failed)?;
            for (other, other_at) in &folders {
                if *other_at == at {
                    return Err(OpenError::Twice { at });
                }
                if let Some((outer, inner)) = overlap((other, other_at), (&folder, &at)) {
                    return Err(OpenError::Overlap { outer: outer.to_owned(), inner: inner.to_owned() });
                }
            }
            folders.push((folder, at));
            let local = beneath::is_local(&dir);
            roots.push(Root { at: place, dir, local, mode: *mode, tiers: tiers.clone() });
        }
        roots.sort_by_key(|root| std::cmp::Reverse(root.at.as_str().len()));
        Ok(Self(roots))
    }

    /// Where `path` is, for a caller of `tier`. `None`: it is `/`, and no root is there for this caller.
    pub(crate) fn place(&self, tier: &str, path: VirtualPath) -> Result<Option<Place<'_>>, Fault> {
        match self.0.iter().find(|root| root.at.contains(&path)) {
            Some(root) if root.shown_to(tier) => Ok(Some(Place { root, path, at_once: false })),
            _ if path.is_top() => Ok(None),
            _ => Err(Fault::new(What::NotFound, &path)),
        }
    }

    /// The roots that callers of `tier` see, by name.
    pub(crate) fn shown_to(&self, tier: &str) -> impl Iterator<Item = &Root> {
        self.0.iter().rev().filter(move |root| root.shown_to(tier))
    }

    /// All roots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Root> {
        self.0.iter()
    }

    /// Whether a root has the place `path`, so that what a folder really holds under this name is covered.
    pub(crate) fn covers(&self, path: &VirtualPath) -> bool {
        self.0.iter().any(|root| root.at == *path)
    }
}

/// The outer and the inner one, if one folder holds the other.
fn overlap<'a>(one: (&Path, &'a str), other: (&Path, &'a str)) -> Option<(&'a str, &'a str)> {
    if other.0.starts_with(one.0) {
        Some((one.1, other.1))
    } else if one.0.starts_with(other.0) {
        Some((other.1, one.1))
    } else {
        None
    }
}

// === impl Place ===

impl<'fs> Place<'fs> {
    /// The path relative to the root; `.` for the root itself.
    pub(crate) fn inside(&self) -> &str {
        match self.path.as_str()[self.root.at.as_str().len()..].trim_start_matches('/') {
            "" => ".",
            inside => inside,
        }
    }

    /// Whether this is the root itself.
    pub(crate) fn is_root(&self) -> bool {
        self.path == self.root.at
    }

    /// The directory that holds this place, and its name there; a root itself is held by nothing.
    pub(crate) fn parent(&self) -> Result<(Place<'fs>, &str), Fault> {
        match (self.path.parent(), self.path.name()) {
            (Some(path), Some(name)) if !self.is_root() => {
                Ok((Place { root: self.root, path, at_once: self.at_once }, name))
            }
            _ => Err(Fault::new(What::Protected, &self.path)),
        }
    }

    /// The same place, looked at without waiting; `None` where that cannot be promised.
    pub(crate) fn at_once(self) -> Option<Self> {
        self.root.local.then_some(Self { at_once: true, ..self })
    }

    /// Opens what is here.
    pub(crate) fn open(&self, flags: OFlags, last: Last) -> std::io::Result<OwnedFd> {
        let open = if self.at_once { beneath::open_at_once } else { beneath::open };
        open(&self.root.dir, self.inside(), flags, last)
    }

    /// The place, if its root accepts changes.
    pub(crate) fn changeable(self) -> Result<Self, Fault> {
        if self.root.writable() { Ok(self) } else { Err(Fault::new(What::ReadOnly, &self.path)) }
    }
}
