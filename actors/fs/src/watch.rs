//! Watches folders for changes: inotify on the handles that confine everything else.
//!
//! A folder is opened beneath its root like any other, and watched by way of `/proc/self/fd`, so that what is watched
//! is what was opened, whatever its name leads to by now.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use notify::event::{ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use protocol::{Code, Context, Error};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::attributes::{Attributes, Identity, Kind};
use crate::beneath::{self, DIRECTORY, Last, TO_LOOK};
use crate::fault::{Fault, What};
use crate::path::{ClientPath, VirtualPath};
use crate::service::Fs;

/// How long it must be quiet before changes are told: an editor's save is four events, and half a file is no news.
const QUIET: Duration = Duration::from_millis(100);

/// What is never quiet is told this often even so.
const RESTLESS_MAX: Duration = Duration::from_secs(1);

/// Watches at one time in the whole process: each has an inotify instance, of which a user has 128 by default, and
/// other programs of the user need some too.
const WATCHES_MAX: usize = 64;

/// Events that may wait; beyond it, only that something changed is known, which is all that is told anyway.
const WAITING_MAX: usize = 1024;

static WATCHES: AtomicUsize = AtomicUsize::new(0);

/// What happened to a path.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    path: String,
    change: &'static str,
}

/// Watches for as long as it lives.
pub(crate) struct Watched {
    _watcher: RecommendedWatcher,
    _handles: Vec<OwnedFd>,
    _place: Place,
    events: mpsc::Receiver<(PathBuf, &'static str)>,
    wanted: Vec<Wanted>,
}

/// A path that is watched: a folder's every entry, or one name in a folder.
struct Wanted {
    path: VirtualPath,
    /// What inotify calls the folder.
    folder: PathBuf,
    name: Option<String>,
}

/// One of the watches that there may be.
struct Place;

impl Place {
    fn take() -> Result<Self, Error> {
        if WATCHES.fetch_add(1, Ordering::Relaxed) < WATCHES_MAX {
            return Ok(Self);
        }
        WATCHES.fetch_sub(1, Ordering::Relaxed);
        Err(exhausted(&format_args!("{WATCHES_MAX} calls of mcp.fs.watch are under way; end one first")))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WATCHES.fetch_sub(1, Ordering::Relaxed);
    }
}

fn exhausted(why: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Overloaded, format!("Cannot watch: {why}."))
}

impl Watched {
    /// Opens what is to be watched. Blocks on the disk.
    pub(crate) fn begin(fs: &Fs, context: &Context, paths: &[ClientPath]) -> Result<Self, Error> {
        let place = Place::take()?;
        let (tell, events) = mpsc::channel(WAITING_MAX);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let change = match event.kind {
                EventKind::Access(_) => return,
                EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => "removed",
                EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) => "created",
                _ => "modified",
            };
            for path in event.paths {
                let _ = tell.try_send((path, change));
            }
        })
        .map_err(|error| exhausted(&error))?;
        let (mut handles, mut wanted) = (Vec::new(), Vec::new());
        // One folder has one watch, by whichever handle it was watched first.
        let mut folders: HashMap<Identity, PathBuf> = HashMap::new();
        let mut refused = None;
        for path in paths {
            // One that cannot be watched does not keep the others from being.
            let (handle, path, name) = match open(fs, context, path) {
                Ok(opened) => opened,
                Err(error) => {
                    refused.get_or_insert(error);
                    continue;
                }
            };
            let identity = Attributes::of(&handle).map_err(|errno| Fault::errno(errno, &path))?.identity;
            if let Some(folder) = folders.get(&identity) {
                wanted.push(Wanted { path, folder: folder.clone(), name });
                continue;
            }
            let folder = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
            folders.insert(identity, folder.clone());
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(|error| exhausted(&error))?;
            handles.push(handle);
            wanted.push(Wanted { path, folder, name });
        }
        if let (true, Some(error)) = (wanted.is_empty(), refused) {
            return Err(error);
        }
        Ok(Self { _watcher: watcher, _handles: handles, _place: place, events, wanted })
    }

    /// What is watched.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.wanted.iter().map(|wanted| wanted.path.as_str()).collect()
    }

    /// What changed next, gathered until it is quiet.
    pub(crate) async fn next(&mut self) -> Option<Vec<Change>> {
        loop {
            let mut changed = BTreeMap::new();
            let first = self.events.recv().await?;
            self.note(first, &mut changed);
            let latest = Instant::now() + RESTLESS_MAX;
            while Instant::now() < latest
                && let Ok(event) = tokio::time::timeout(QUIET, self.events.recv()).await
            {
                self.note(event?, &mut changed);
            }
            if !changed.is_empty() {
                let told = changed.into_iter().map(|(path, change)| Change { path, change });
                return Some(told.collect());
            }
        }
    }

    fn note(&self, (place, change): (PathBuf, &'static str), changed: &mut BTreeMap<String, &'static str>) {
        for wanted in &self.wanted {
            let inside = place.parent() == Some(&wanted.folder);
            let here = match &wanted.name {
                Some(name) => inside && place.file_name().is_some_and(|found| found == name.as_str()),
                None => (inside && !is_reserved(&place)) || place == wanted.folder,
            };
            if here {
                // A folder of which an entry came or went is changed itself, not made.
                let change = if wanted.name.is_some() { change } else { "modified" };
                changed.insert(wanted.path.to_string(), change);
            }
        }
    }
}

/// The service's own files, drafts above all, are nobody's news.
fn is_reserved(place: &Path) -> bool {
    let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(crate::path::RESERVED_PREFIX)
}

/// The folder to watch, and the name in it if the path is not a folder itself.
fn open(
    fs: &Fs,
    context: &Context,
    path: &ClientPath,
) -> Result<(OwnedFd, VirtualPath, Option<String>), Error> {
    let place = fs.place(context, path)?;
    let found = beneath::open(&place.root.dir, place.inside(), TO_LOOK, Last::AsItIs).ok();
    let is_folder =
        found.and_then(|found| Attributes::of(found).ok()).is_some_and(|it| it.kind == Kind::Directory);
    let within = |inside: &str| beneath::open(&place.root.dir, inside, DIRECTORY, Last::Followed);
    if is_folder {
        let handle = within(place.inside()).map_err(|_| Fault::new(What::NotFound, &place.path))?;
        return Ok((handle, place.path.clone(), None));
    }
    let (folder, name) = place.inside().rsplit_once('/').unwrap_or((".", place.inside()));
    let handle = within(folder).map_err(|_| Fault::new(What::NotFound, &place.path))?;
    Ok((handle, place.path.clone(), Some(name.to_owned())))
}
