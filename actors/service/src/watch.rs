//! Tells when files in a folder changed: inotify, gathered over a moment, because an editor's save is four events
//! and half a file is no news.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use supervisor::Tasks;
use tokio::sync::mpsc;

/// How long a folder must be quiet before its change is told.
const QUIET: Duration = Duration::from_millis(50);

/// A folder that is never quiet is looked at this often even so.
const RESTLESS_MAX: Duration = Duration::from_secs(1);

/// Watches for as long as it lives.
pub struct Watch {
    _watcher: RecommendedWatcher,
}

/// Calls `changed` after any of `files` was written, replaced, made or removed. Folders are watched, not files,
/// since an editor replaces a file by another of its name. `None`, and a line in the log, where that is not
/// possible: then changes are seen at the next start.
pub fn files(files: &[PathBuf], tasks: &Tasks, changed: impl Fn() + Send + 'static) -> Option<Watch> {
    let folders: HashSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let wanted: HashSet<PathBuf> = files.iter().cloned().collect();
    start(&folders, move |path| wanted.contains(path), tasks, changed)
}

/// Calls `changed` after anything in `folder` changed.
pub fn folder(folder: &Path, tasks: &Tasks, changed: impl Fn() + Send + 'static) -> Option<Watch> {
    start(&HashSet::from([folder]), |_| true, tasks, changed)
}

fn start(
    folders: &HashSet<&Path>,
    wanted: impl Fn(&Path) -> bool + Send + 'static,
    tasks: &Tasks,
    changed: impl Fn() + Send + 'static,
) -> Option<Watch> {
    // One place: that something changed is all there is to say.
    let (tell, mut told) = mpsc::channel::<()>(1);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let relevant = match &event {
            Ok(event) => !event.kind.is_access() && event.paths.iter().any(|path| wanted(path)),
            Err(_) => true,
        };
        if relevant {
            let _ = tell.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "cannot watch for changes; they are seen at the next start");
            return None;
        }
    };
    for folder in folders {
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(folder = %folder.display(), %error, "cannot watch for changes here");
        }
    }
    tasks.spawn(async move {
        while told.recv().await.is_some() {
            let latest = Instant::now() + RESTLESS_MAX;
            while Instant::now() < latest
                && let Ok(Some(())) = tokio::time::timeout(QUIET, told.recv()).await
            {}
            changed();
        }
    });
    Some(Watch { _watcher: watcher })
}
