//! Directories that were listed just now, and what they held.
//!
//! Of a file's content the kernel says whether reading it would wait (`RWF_NOWAIT`), of a path too (`RESOLVE_CACHED`);
//! of a directory's names and their attributes it does not. But what was listed a moment ago is in its caches, unless
//! memory was so short meanwhile that it took them back; then a call that did not expect it waits once for a disk of this
//! machine. So short directories of local file systems that were listed just now are listed again where the call is,
//! without waking a thread that may wait, which costs more than the listing.
//!
//! What is listed a third time is answered from memory: a question to the kernel for each of fifty files is most of what
//! a listing costs, and one question, whether anything in the directory has changed, does as well ([`News`]). What the
//! kernel does not tell (a file that gets a second name elsewhere and is written to by that; a time that moves while a
//! mapping is open) is seen when the listing is two seconds old, since none is kept for longer: decision 0028.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attributes::{Attributes, Identity};
use crate::names::Listed;
use crate::news::{Heard, News, Watch};

/// Longer directories would hold up whoever else is on the thread.
pub(crate) const NAMES_MAX: usize = 128;

/// How long a listing counts as just now, and how old one from memory is at most.
const KEPT: Duration = Duration::from_secs(2);

/// Directories that are remembered at one time.
const DIRECTORIES_MAX: usize = 64;

/// The directories that were listed just now.
#[derive(Debug, Default)]
pub(crate) struct Warm(Mutex<State>);

#[derive(Debug)]
struct State {
    seen: HashMap<Identity, Seen>,
    /// Begun at the start, so that listings open nothing that stays open; where there was none to have, when wanted.
    news: Option<News>,
    /// The last number that was given.
    begun: u64,
}

/// A directory as it was when it was listed.
#[derive(Debug)]
struct Seen {
    /// Until when its names are in the kernel's caches, for all we know.
    until: Instant,
    modified: (i64, u32),
    watch: Option<Watch>,
    memory: Memory,
}

/// What is known of a directory.
#[derive(Debug, Default)]
enum Memory {
    #[default]
    Nothing,
    /// Listings of this number are being made, and nothing has changed since the first of them began.
    Begun(u64),
    /// This, and nothing has changed since.
    Listed(Arc<Listed>, Instant),
}

/// How a directory that was listed just now can be listed.
#[derive(Debug)]
pub(crate) enum Way {
    /// From memory.
    Known(Arc<Listed>),
    /// From the kernel's caches, and with a ticket it can be kept.
    Cached(Option<Ticket>),
}

/// Leave to keep a listing, unless something has changed meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    directory: Identity,
    number: u64,
    until: Instant,
}

impl Warm {
    /// Notes that a directory of so many names was listed.
    pub(crate) fn note(&self, dir: &Attributes, names: usize, now: Instant) {
        let mut state = self.state();
        if names > NAMES_MAX {
            state.retain(|identity, _| *identity != dir.identity);
            return;
        }
        if state.seen.len() >= DIRECTORIES_MAX && !state.seen.contains_key(&dir.identity) {
            state.retain(|_, seen| seen.until > now);
            // All of them at once is a walk, in which nothing is listed twice.
            if state.seen.len() >= DIRECTORIES_MAX {
                state.retain(|_, _| false);
            }
        }
        let (until, modified) = (now + KEPT, dir.modified);
        let seen = state.seen.entry(dir.identity);
        // What is remembered stays so: whether it still holds is the kernel's to say.
        let seen = seen.or_insert(Seen { until, modified, watch: None, memory: Memory::Nothing });
        (seen.until, seen.modified) = (until, modified);
    }

    /// How `dir` can be listed without waiting, if it was listed just now; with `look` unset, only if it is remembered.
    pub(crate) fn way(&self, dir: &OwnedFd, details: bool, look: bool, now: Instant) -> Option<Way> {
        let about = Attributes::of(dir).ok()?;
        let mut state = self.state();
        state.hear();
        let State { seen, news, begun } = &mut *state;
        let seen = seen.get_mut(&about.identity)?;
        if seen.until <= now || seen.modified != about.modified {
            return None;
        }
        seen.until = now + KEPT;
        let number = match &seen.memory {
            Memory::Listed(listed, until) if *until > now && (listed.has_details() || !details) => {
                return Some(Way::Known(Arc::clone(listed)));
            }
            _ if !look => return None,
            Memory::Begun(number) => *number,
            _ => {
                if news.is_none() {
                    *news = News::begin();
                }
                // Watched first and looked at then: what changes in between is heard of.
                seen.watch = news.as_ref().and_then(|news| news.watch(dir.as_fd()));
                if seen.watch.is_none() {
                    return Some(Way::Cached(None));
                }
                *begun += 1;
                seen.memory = Memory::Begun(*begun);
                *begun
            }
        };
        Some(Way::Cached(Some(Ticket { directory: about.identity, number, until: now + KEPT })))
    }

    /// Keeps a listing that was begun with `ticket` in hand.
    pub(crate) fn keep(&self, ticket: Ticket, listed: Listed) {
        if let Some(seen) = self.state().seen.get_mut(&ticket.directory)
            && matches!(seen.memory, Memory::Begun(number) if number == ticket.number)
        {
            seen.memory = Memory::Listed(Arc::new(listed), ticket.until);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> Self {
        Self { seen: HashMap::new(), news: News::begin(), begun: 0 }
    }
}

impl State {
    /// Forgets what is no longer so.
    fn hear(&mut self) {
        let Self { seen, news: Some(news), .. } = self else { return };
        news.hear(|heard| {
            for seen in seen.values_mut() {
                match heard {
                    Heard::Changed(watch) if seen.watch == Some(watch) => seen.watch = None,
                    Heard::Changed(_) => continue,
                    // Whether its watch goes on is not known; it is asked for again with the next listing.
                    Heard::Everything => {}
                }
                seen.memory = Memory::Nothing;
            }
        });
    }

    fn retain(&mut self, mut keep: impl FnMut(&Identity, &Seen) -> bool) {
        let Self { seen, news, .. } = self;
        seen.retain(|identity, seen| {
            let keep = keep(identity, seen);
            if let (false, Some(watch), Some(news)) = (keep, seen.watch, &news) {
                news.forget(watch);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use protocol::Cancel;

    use super::*;
    use crate::names::Names;
    use crate::path::VirtualPath;

    fn look(path: &Path) -> Attributes {
        Attributes::of(File::open(path).unwrap()).unwrap()
    }

    fn open(path: &Path) -> OwnedFd {
        File::open(path).unwrap().into()
    }

    fn read(path: &Path) -> Names {
        Names::read(open(path), 9, &VirtualPath::top(), &Cancel::new()).unwrap()
    }

    /// How `path` is listed: not at all, from the kernel's caches, or from memory.
    fn way(warm: &Warm, path: &Path, details: bool, now: Instant) -> &'static str {
        match warm.way(&open(path), details, true, now) {
            None => "none",
            Some(Way::Known(_)) => "memory",
            Some(Way::Cached(ticket)) => {
                warm.keep(ticket.unwrap(), read(path).listed(details));
                "caches"
            }
        }
    }

    #[test]
    fn only_short_directories_that_were_listed_just_now_are_known_and_none_for_long() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(one.join("file"), "x").unwrap();
        let (warm, now) = (Warm::default(), Instant::now());
        assert_eq!(way(&warm, &one, true, now), "none");
        warm.note(&look(&one), 1, now);
        assert_eq!(way(&warm, &other, true, now), "none");
        assert_eq!(way(&warm, &one, false, now), "caches");
        assert_eq!(way(&warm, &one, false, now), "memory");
        assert_eq!(way(&warm, &one, true, now), "caches", "no file was looked at yet");
        assert_eq!(way(&warm, &one, true, now + KEPT / 2), "memory");
        assert_eq!(way(&warm, &one, false, now + KEPT / 2), "memory");
        assert_eq!(
            way(&warm, &one, true, now + KEPT),
            "caches",
            "it is two seconds old, however often it was asked for"
        );
        assert_eq!(way(&warm, &one, true, now + KEPT * 3), "none");
        warm.note(&look(&one), NAMES_MAX + 1, now);
        assert_eq!(way(&warm, &one, true, now), "none");
    }

    #[test]
    fn every_change_is_heard_of() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("dir");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("file"), "x").unwrap();
        fs::create_dir(dir.join("sub")).unwrap();
        let (warm, now) = (Warm::default(), Instant::now());
        let file = || File::options().write(true).open(dir.join("file")).unwrap();
        let changes: [(&str, &dyn Fn()); 9] = [
            ("written", &|| fs::write(dir.join("file"), "longer").unwrap()),
            ("truncated", &|| file().set_len(1).unwrap()),
            ("dated", &|| file().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap()),
            ("made", &|| fs::write(dir.join("new"), "").unwrap()),
            ("renamed", &|| fs::rename(dir.join("new"), dir.join("newer")).unwrap()),
            ("moved out", &|| fs::rename(dir.join("newer"), place.path().join("newer")).unwrap()),
            ("moved in", &|| fs::rename(place.path().join("newer"), dir.join("file")).unwrap()),
            ("linked", &|| std::os::unix::fs::symlink("file", dir.join("link")).unwrap()),
            ("removed", &|| fs::remove_file(dir.join("link")).unwrap()),
        ];
        for (what, change) in changes {
            warm.note(&look(&dir), 1, now);
            way(&warm, &dir, true, now);
            assert_eq!(way(&warm, &dir, true, now), "memory", "{what}");
            change();
            assert_ne!(way(&warm, &dir, true, now), "memory", "{what}");
        }
    }

    #[test]
    fn what_changes_while_a_listing_is_made_keeps_it_from_being_kept() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        let (warm, now) = (Warm::default(), Instant::now());
        warm.note(&look(place.path()), 1, now);
        let Some(Way::Cached(Some(early))) = warm.way(&open(place.path()), true, true, now) else { panic!() };
        let listed = read(place.path()).listed(true);
        fs::write(&file, "longer").unwrap();
        // Another call hears of it before the listing is there.
        let Some(Way::Cached(Some(late))) = warm.way(&open(place.path()), true, true, now) else { panic!() };
        warm.keep(early, listed);
        assert!(warm.way(&open(place.path()), true, false, now).is_none(), "it was begun before the change");
        warm.keep(late, read(place.path()).listed(true));
        let Some(Way::Known(listed)) = warm.way(&open(place.path()), true, false, now) else { panic!() };
        assert_eq!(Names::known(open(place.path()), &listed).unwrap().looked[0].unwrap().bytes, 6);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let (warm, now) = (Warm::default(), Instant::now());
        for n in 0..=DIRECTORIES_MAX {
            let path = place.path().join(n.to_string());
            fs::create_dir(&path).unwrap();
            warm.note(&look(&path), 0, now);
            assert_eq!(way(&warm, &path, true, now), "caches");
            assert!(warm.state().seen.len() <= DIRECTORIES_MAX);
        }
        assert_eq!(warm.state().seen.len(), 1);
    }
}
