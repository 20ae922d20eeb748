//! The handle that every method works with: the roots, the limits, and the locks that make conditions hold.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Cancel, Context};

use crate::attributes::Identity;
use crate::config::Settings;
use crate::fault::{Fault, What};
use crate::path::{ClientPath, VirtualPath};
use crate::roots::{OpenError, Place, Root, Roots};
use crate::sweep::{self, Swept};
use crate::trash::Trash;
use crate::types::Types;
use crate::warm::Warm;

/// How many directory entries a call by position gets at once, as the original's clients expect; beyond it they
/// are told to page.
const ENTRIES_AT_ONCE_MAX: usize = 10_000;

/// The file service. Cheap to clone; all clones share the opened roots.
#[derive(Clone, Debug)]
pub struct Fs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    roots: Roots,
    limits: Limits,
    locks: Locks,
    warm: Warm,
    types: Types,
}

/// The bounds on what one call may take, give and look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) write_bytes: u64,
    pub(crate) read_bytes: u64,
    pub(crate) entries: usize,
    pub(crate) entries_at_once: usize,
    pub(crate) scan_files: u64,
    pub(crate) trash_keep_days: u32,
}

// === impl Fs ===

impl Fs {
    /// Opens every root once. What happens to a root's name afterwards does not matter: its handle is kept.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let limits = Limits {
            write_bytes: settings.write_bytes_max,
            read_bytes: settings.read_bytes_max,
            entries: settings.entries_max,
            entries_at_once: settings.entries_max.max(ENTRIES_AT_ONCE_MAX),
            scan_files: settings.scan_files_max,
            trash_keep_days: settings.trash_keep_days,
        };
        let roots = Roots::open(&settings.roots)?;
        let (locks, warm, types) = (Locks::default(), Warm::default(), Types::default());
        Ok(Self(Arc::new(Inner { roots, limits, locks, warm, types })))
    }

    /// Removes what crashes have left behind, and what has been in the trash for long enough. May take a while:
    /// run it at start and once a day, on a thread that may block.
    pub fn sweep(&self, cancel: &Cancel) -> Swept {
        sweep::sweep(self, cancel)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.0.roots
    }

    /// The directories that can be listed without waiting.
    pub(crate) fn warm(&self) -> &Warm {
        &self.0.warm
    }

    /// What files contain that were looked at just now.
    pub(crate) fn types(&self) -> &Types {
        &self.0.types
    }

    /// Where `path` is for this caller; `None`: it is `/`, and all that is there are the names of roots.
    pub(crate) fn look_up(&self, context: &Context, path: &ClientPath) -> Result<Option<Place<'_>>, Fault> {
        let path: VirtualPath = path.0.parse()?;
        self.0.roots.place(&context.caller.tier, path)
    }

    /// Where `path` is for this caller, in a root.
    pub(crate) fn place(&self, context: &Context, path: &ClientPath) -> Result<Place<'_>, Fault> {
        self.look_up(context, path)?.ok_or_else(|| Fault::new(What::Protected, "/"))
    }

    /// The same, for a call that changes something there.
    pub(crate) fn place_to_change(&self, context: &Context, path: &ClientPath) -> Result<Place<'_>, Fault> {
        self.place(context, path)?.changeable()
    }

    /// The roots that this caller sees and that hang below `/` under a name.
    pub(crate) fn named_roots(&self, context: &Context) -> impl Iterator<Item = &Root> {
        self.0.roots.shown_to(&context.caller.tier).filter(|root| !root.at.is_top())
    }

    /// The trashes of the roots that this caller sees.
    pub(crate) fn trashes(&self, context: &Context) -> Result<Vec<(&Root, Trash)>, Fault> {
        let mut trashes = Vec::new();
        for root in self.0.roots.shown_to(&context.caller.tier) {
            if let Some(trash) = Trash::open(root)? {
                trashes.push((root, trash));
            }
        }
        Ok(trashes)
    }

    /// Holds a name still: no other call of this process looks at and then changes `name` in `dir` meanwhile.
    pub(crate) fn hold(&self, dir: Identity, name: &str) -> MutexGuard<'_, ()> {
        self.0.locks.hold((dir, name))
    }

    /// Holds two names still. The only way to hold more than one: taken in one order, no two calls can wait for
    /// each other.
    pub(crate) fn hold_both(&self, one: (Identity, &str), other: (Identity, &str)) -> Held<'_> {
        self.0.locks.hold_both(one, other)
    }
}

/// Two names held still, or one that two share.
pub(crate) type Held<'fs> = (MutexGuard<'fs, ()>, Option<MutexGuard<'fs, ()>>);

/// Makes "look, then change" one step among the calls of this process, so that of two writes on the same
/// `if_match` only one succeeds. Programs outside do not take part; for them a change is still one rename.
#[derive(Debug)]
struct Locks {
    /// Names share locks by hash: rarely waiting for a stranger costs less than a table that must be cleaned.
    stripes: [Mutex<()>; 64],
    hash: RandomState,
}

impl Locks {
    fn hold(&self, name: (Identity, &str)) -> MutexGuard<'_, ()> {
        self.take(self.stripe(name))
    }

    fn hold_both(&self, one: (Identity, &str), other: (Identity, &str)) -> Held<'_> {
        let (one, other) = (self.stripe(one), self.stripe(other));
        let first = self.take(one.min(other));
        (first, (one != other).then(|| self.take(one.max(other))))
    }

    fn stripe(&self, name: (Identity, &str)) -> usize {
        let stripes = self.stripes.len() as u64;
        usize::try_from(self.hash.hash_one(name) % stripes).unwrap_or_default()
    }

    fn take(&self, stripe: usize) -> MutexGuard<'_, ()> {
        // What it guards is on the disk, and there a panic leaves either the old or the new.
        self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Locks {
    fn default() -> Self {
        Self { stripes: std::array::from_fn(|_| Mutex::new(())), hash: RandomState::new() }
    }
}
