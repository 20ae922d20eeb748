//! Tells the index what changes: inotify on every directory below a place, by way of the handle that confines it.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use index::Watching;
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY, Last};
use crate::files;
use crate::path::VirtualPath;
use crate::roots::Place;

/// Ends the watch with its handles.
struct Watched {
    _watcher: RecommendedWatcher,
    _handles: Vec<OwnedFd>,
}

/// A place as inotify calls it, and as callers do.
struct Known {
    folder: PathBuf,
    path: VirtualPath,
}

/// Watches all of these places; of a file, the directory that holds it. None, and a line in the log, where nothing can
/// be watched: there are too many directories, or too many watchers of this user.
pub(super) fn begin(places: &[Place<'_>], changed: Box<dyn Fn(String) + Send>) -> Option<Watching> {
    let mut handles = Vec::new();
    let mut known = Vec::new();
    for place in places {
        let about = files::look(place).ok()?;
        let (handle, path) = if about.kind == Kind::Directory {
            (files::directory(place).ok()?, place.path.clone())
        } else {
            let (parent, _) = place.parent().ok()?;
            (beneath::open(&parent.root.dir, parent.inside(), DIRECTORY, Last::Followed).ok()?, parent.path)
        };
        debug_assert!(Attributes::of(&handle).is_ok_and(|about| about.kind == Kind::Directory));
        // The dot: what is in /proc is a link, and links are not followed.
        let folder = PathBuf::from(format!("/proc/self/fd/{}/.", handle.as_raw_fd()));
        known.push(Known { folder, path });
        handles.push(handle);
    }
    let folders: Vec<PathBuf> = known.iter().map(|known| known.folder.clone()).collect();
    let tell = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if event.kind.is_access() {
            return;
        }
        if event.need_rescan() {
            for known in &known {
                changed(known.path.to_string());
            }
        }
        for path in event.paths.iter().filter_map(|path| named(&known, path)) {
            changed(path);
        }
    };
    let config = Config::default().with_follow_symlinks(false);
    let complain = |error: notify::Error| {
        tracing::warn!(%error, "cannot watch for changes; they are seen at the next look around (search.look_every_minutes)");
    };
    let mut watcher = RecommendedWatcher::new(tell, config).map_err(complain).ok()?;
    for folder in &folders {
        watcher.watch(folder, RecursiveMode::Recursive).map_err(complain).ok()?;
    }
    Some(Box::new(Watched { _watcher: watcher, _handles: handles }))
}

/// A path as callers know it. What cannot be said in UTF-8, or is the service's own, is nobody's news.
fn named(known: &[Known], path: &Path) -> Option<String> {
    known.iter().find_map(|known| {
        let inside = path.strip_prefix(&known.folder).ok()?.to_str()?;
        if inside.split('/').any(|name| name.starts_with('.')) {
            // Rules that changed are looked at by way of what holds them.
            let (above, name) = inside.rsplit_once('/').unwrap_or(("", inside));
            let rules = name == ".gitignore" || name == crate::ignored::OURS;
            return (rules && !above.split('/').any(|name| name.starts_with('.')))
                .then(|| join(&known.path, above));
        }
        Some(join(&known.path, inside))
    })
}

fn join(path: &VirtualPath, inside: &str) -> String {
    match (path.as_str().trim_end_matches('/'), inside) {
        ("", "") => "/".to_owned(),
        (above, "") => above.to_owned(),
        (above, inside) => format!("{above}/{inside}"),
    }
}
