//! Which directories the kernel has in its caches, for all that can be known: there is no way to ask.
//!
//! Of a file's content the kernel says whether reading it would wait (`RWF_NOWAIT`), of a path too (`RESOLVE_CACHED`);
//! of a directory's names and their attributes it does not. But what was listed a moment ago is in the caches, unless
//! memory was so short meanwhile that the kernel took it back; then a call that did not expect it waits once for a
//! disk of this machine. So short directories of local file systems that were listed just now are listed again where
//! the call is, without waking a thread that may wait, which costs more than the listing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attributes::{Attributes, Identity};

/// Longer directories would hold up whoever else is on the thread.
pub(crate) const NAMES_MAX: usize = 128;

/// How long a listing counts as just now.
const KEPT: Duration = Duration::from_secs(2);

/// Directories that are remembered at one time.
const DIRECTORIES_MAX: usize = 256;

/// The directories that were listed just now.
#[derive(Debug, Default)]
pub(crate) struct Warm(Mutex<HashMap<Identity, Seen>>);

/// A directory as it was when it was listed.
#[derive(Clone, Copy, Debug)]
struct Seen {
    until: Instant,
    modified: (i64, u32),
}

impl Warm {
    /// Notes that a directory of so many names was listed.
    pub(crate) fn note(&self, dir: &Attributes, names: usize, now: Instant) {
        let mut seen = self.seen();
        if names > NAMES_MAX {
            seen.remove(&dir.identity);
            return;
        }
        if seen.len() >= DIRECTORIES_MAX && !seen.contains_key(&dir.identity) {
            seen.retain(|_, seen| seen.until > now);
            // All of them at once is a walk, in which nothing is listed twice.
            if seen.len() >= DIRECTORIES_MAX {
                seen.clear();
            }
        }
        seen.insert(dir.identity, Seen { until: now + KEPT, modified: dir.modified });
    }

    /// Whether a directory was listed just now, and has the names that it had.
    pub(crate) fn has(&self, dir: &Attributes, now: Instant) -> bool {
        let seen = self.seen().get(&dir.identity).copied();
        seen.is_some_and(|seen| seen.until > now && seen.modified == dir.modified)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Identity, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_directories_that_were_listed_just_now_are_warm() {
        let place = tempfile::tempdir().unwrap();
        let look = |name: &str| {
            std::fs::create_dir_all(place.path().join(name)).unwrap();
            Attributes::of(std::fs::File::open(place.path().join(name)).unwrap()).unwrap()
        };
        let (warm, now) = (Warm::default(), Instant::now());
        let (one, other) = (look("one"), look("other"));
        warm.note(&one, NAMES_MAX, now);
        assert!(warm.has(&one, now) && !warm.has(&other, now));
        assert!(!warm.has(&one, now + KEPT));
        let changed = Attributes { modified: (one.modified.0 + 1, 0), ..one };
        assert!(!warm.has(&changed, now));
        warm.note(&one, NAMES_MAX + 1, now);
        assert!(!warm.has(&one, now));
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let (warm, now) = (Warm::default(), Instant::now());
        for n in 0..=DIRECTORIES_MAX {
            let path = place.path().join(n.to_string());
            std::fs::create_dir(&path).unwrap();
            warm.note(&Attributes::of(std::fs::File::open(path).unwrap()).unwrap(), 1, now);
            assert!(warm.seen().len() <= DIRECTORIES_MAX);
        }
        assert_eq!(warm.seen().len(), 1);
    }
}
