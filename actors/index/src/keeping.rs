//! Keeps the index what the files are: looks at paths, finds out what came, went, moved and changed, and reads that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use store::StoreError;

use crate::contents;
use crate::db::{self, Known, Read, Watched};
use crate::index::{Shared, now_ms};
use crate::queue::Next;
use crate::source::{Found, Unreadable};
use crate::table::Entry;

/// Moves, touches and removals in one transaction.
const AT_ONCE: usize = 500;

/// A file whose last change is no older than this when it is read may be changed again within the same tick of its
/// file system's clock: it is looked into again the next time.
const TICK_NS: i64 = 2_000_000_000;

/// How long what reads files is kept while there is nothing to read: a person saves again within that.
const READER_IDLE: Duration = Duration::from_secs(30);

/// The longest rest after a piece of work.
const REST_MAX: Duration = Duration::from_secs(1);

/// How long it is waited after what is no file's fault, before everything is looked at again.
const PAUSE: Duration = Duration::from_secs(15);

/// What is different from what is known.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// New or changed, with what is known of the path.
    read: Vec<(Found, Option<Known>)>,
    /// Known and no longer there.
    gone: Vec<Known>,
    /// The same file under another path.
    moved: Vec<(i64, String)>,
    pub(crate) unchanged: usize,
}

impl Difference {
    /// What `found` is beside `known`. Pure.
    pub(crate) fn of(known: Vec<(Known, i64)>, found: Vec<Found>) -> Self {
        let mut known: HashMap<String, (Known, i64)> =
            known.into_iter().map(|(known, read_ms)| (known.path.clone(), (known, read_ms))).collect();
        let mut difference = Self::default();
        let mut new = Vec::new();
        for found in found {
            match known.remove(&found.path) {
                None => new.push(found),
                Some((was, read_ms)) if is_same(&was, &found) && !is_fresh(&was, read_ms) => {
                    difference.unchanged += 1;
                }
                Some((was, _)) => difference.read.push((found, Some(was))),
            }
        }
        // What is new under its path and known under one that is gone was renamed.
        // Several names may have been one file's.
        let mut gone: HashMap<(u64, u64), Vec<Known>> = HashMap::new();
        for (known, _) in known.into_values() {
            gone.entry(known.identity).or_default().push(known);
        }
        for found in new {
            let names = gone.get_mut(&found.identity);
            match names.and_then(|names| names.pop_if(|was| is_same(was, &found))) {
                Some(was) => difference.moved.push((was.id, found.path)),
                None => difference.read.push((found, None)),
            }
        }
        difference.gone = gone.into_values().flatten().collect();
        difference
    }
}

fn is_same(known: &Known, found: &Found) -> bool {
    (known.identity, known.bytes, known.modified_ns) == (found.identity, found.bytes, found.modified_ns)
}

fn is_fresh(known: &Known, read_ms: i64) -> bool {
    read_ms.saturating_mul(1_000_000).saturating_sub(known.modified_ns) < TICK_NS
}

/// Takes from the queue for ever.
pub(crate) async fn keep(shared: Arc<Shared>) {
    loop {
        let next = shared.next().await;
        let done = match next {
            Next::Changed(mut paths) => {
                shared.queue.quiet().await;
                paths.extend(shared.queue.take_changed().unwrap_or_default());
                shared.look_at_changed(paths).await
            }
            Next::Scan { path, deep, ticket } => {
                let done = shared.look_at(vec![Watched { path, deep }]).await;
                shared.queue.finish(ticket);
                done
            }
            Next::All => shared.look_at_all().await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the index is not current");
            shared.is_behind(&error);
            tokio::time::sleep(PAUSE).await;
            shared.queue.all();
        } else {
            shared.is_current();
        }
    }
}

/// Why files could not be looked at.
#[derive(Debug, thiserror::Error)]
enum Behind {
    /// The state file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing reads files.
    #[error("{0}")]
    NoReader(String),
}

impl Behind {
    /// What callers are told, who have no business with this machine's paths.
    fn public(&self) -> String {
        match self {
            Self::Store(_) => "the index cannot be kept: the log says why".to_owned(),
            Self::NoReader(_) => {
                "no files can be read: `llmbasedos-embed` is not beside the daemon, or cannot be started"
                    .to_owned()
            }
        }
    }
}

impl Shared {
    /// What is to be done next; what is not needed for long is given back meanwhile.
    async fn next(&self) -> Next {
        let soon = READER_IDLE.min(self.look_every);
        if let Ok(next) = tokio::time::timeout(soon, self.queue.next()).await {
            return next;
        }
        self.contents.reader.rest();
        let rest = self.look_every.saturating_sub(soon);
        tokio::time::timeout(rest, self.queue.next()).await.unwrap_or(Next::All)
    }

    fn is_behind(&self, behind: &Behind) {
        *self.behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(behind.public());
        self.news.notify_waiters();
    }

    fn is_current(&self) {
        *self.behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    async fn look_at_all(self: &Arc<Self>) -> Result<(), Behind> {
        let watched = self.reads(db::watched).await?;
        self.look_at(watched).await
    }

    /// Paths changed that may be files or folders, or be gone. All at once: what was renamed is two of them.
    async fn look_at_changed(self: &Arc<Self>, paths: Vec<String>) -> Result<(), Behind> {
        let watched = self.reads(db::watched).await?;
        let kept = paths.into_iter().filter_map(|path| {
            let one = watched.iter().find(|one| db::covers(std::slice::from_ref(*one), &path))?;
            Some(Watched { deep: one.deep, path })
        });
        let kept: Vec<_> = kept.collect();
        if kept.is_empty() { Ok(()) } else { self.look_at(kept).await }
    }

    /// What is different at and below these paths.
    async fn difference(self: &Arc<Self>, paths: Vec<Watched>) -> Result<Difference, Behind> {
        let shared = Arc::clone(self);
        let stop = Stop::default();
        let stopped = stop.0.clone();
        let walked = tokio::task::spawn_blocking(move || {
            let (mut known, mut found) = (HashMap::new(), HashMap::new());
            for Watched { path, deep } in paths {
                let stop = || stopped.load(Ordering::Relaxed);
                let visit = &mut |file: Found| drop(found.insert(file.path.clone(), file));
                let unread = match shared.contents.files.walk(&path, deep, &stop, visit) {
                    Ok(unread) => unread,
                    Err(Unreadable::Gone) => Vec::new(),
                    // Not being able to look is no reason to forget.
                    Err(Unreadable::Other(why)) => {
                        tracing::warn!(path, why, "a path that is kept current cannot be looked at");
                        continue;
                    }
                };
                let may_be_there = |path: &str| unread.iter().any(|folder| db::is_below(path, folder));
                let here = shared.store.read_blocking(|db| known_at(db, &path, deep))?;
                let here = here.into_iter().filter(|(known, _)| !may_be_there(&known.path));
                known.extend(here.map(|known| (known.0.path.clone(), known)));
            }
            Ok::<_, StoreError>((known.into_values().collect(), found.into_values().collect()))
        });
        let (known, found) = match walked.await {
            Ok(walked) => walked?,
            Err(panicked) => {
                return Err(StoreError::Commit(format!("looking at files failed: {panicked}")).into());
            }
        };
        Ok(Difference::of(known, found))
    }

    /// Compares paths with what is known of them, and reads what is different.
    async fn look_at(self: &Arc<Self>, paths: Vec<Watched>) -> Result<(), Behind> {
        let mut difference = self.difference(paths.clone()).await?;
        // What was renamed while it was walked over was neither where it was nor where it is.
        if !difference.gone.is_empty() {
            difference = self.difference(paths).await?;
        }
        let Difference { read, gone, moved, unchanged } = difference;
        if !read.is_empty() || !gone.is_empty() || !moved.is_empty() {
            tracing::debug!(read = read.len(), gone = gone.len(), moved = moved.len(), unchanged, "differs");
        }
        for some in moved.chunks(AT_ONCE) {
            self.move_files(some.to_vec()).await?;
        }
        // Before what is gone goes: a renamed file that was changed too has most of its texts already.
        let mut before = Before::of(&self.counters.before, read.len());
        for (found, was) in read {
            if let Some(mut changed) = self.queue.take_changed() {
                changed.retain(|changed| *changed != found.path);
                Box::pin(self.look_at_changed(changed)).await?;
            }
            let begun = Instant::now();
            self.read(found, was).await?;
            before.one_less();
            breathe(begun.elapsed()).await;
        }
        for some in gone.chunks(AT_ONCE) {
            self.forget(some.iter().map(|known| known.path.clone()).collect()).await?;
        }
        Ok(())
    }

    async fn move_files(&self, files: Vec<(i64, String)>) -> Result<(), StoreError> {
        let changes = files.clone();
        let moved = self
            .change(move |db| {
                changes.iter().map(|(file, to)| db::moved(db, *file, to)).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut table = self.table.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for ((file, to), moved) in files.iter().zip(moved) {
            if moved {
                table.rename(*file, to);
            }
        }
        Ok(())
    }

    async fn forget(&self, paths: Vec<String>) -> Result<(), StoreError> {
        let gone = self
            .change(move |db| {
                let mut all = db::Outcome::default();
                for path in paths {
                    let one = db::forget(db, &path)?;
                    all.gone_files.extend(one.gone_files);
                    all.gone_texts.extend(one.gone_texts);
                }
                Ok(all)
            })
            .await?;
        self.apply(&gone, None);
        Ok(())
    }

    /// Reads one file and puts it into the index.
    async fn read(self: &Arc<Self>, found: Found, was: Option<Known>) -> Result<(), Behind> {
        self.queue.read(&found.path);
        let (shared, path) = (Arc::clone(self), found.path.clone());
        let stop = Stop::default();
        let stopped = stop.0.clone();
        let known = was.as_ref().and_then(|was| was.hash);
        let read = tokio::task::spawn_blocking(move || {
            let stop = || stopped.load(Ordering::Relaxed);
            shared.contents.read(&path, known, &stop)
        });
        let outcome = match read.await {
            Ok(outcome) => outcome,
            // A reader that panics loses its file, and the panic hook has logged it.
            Err(_) => contents::failed(found.clone()),
        };
        match outcome {
            contents::Outcome::Read(read) => {
                self.counters.files.fetch_add(1, Ordering::Relaxed);
                self.put(*read).await?;
            }
            contents::Outcome::Same(now, hash) => {
                let Some(was) = was else { return Ok(()) };
                debug_assert_eq!(was.hash, Some(hash));
                let (file, at) = (was.id, now_ms());
                self.change(move |db| db::touched(db, file, now.identity, now.bytes, now.modified_ns, at))
                    .await?;
            }
            // Renamed or removed since it was seen: a look at everything tells which.
            contents::Outcome::Gone if was.is_some() => self.queue.all(),
            contents::Outcome::Gone => {}
            contents::Outcome::Again => {
                self.queue.changed(found.path);
                // Whoever writes to it is not done.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            contents::Outcome::NoReader(why) => return Err(Behind::NoReader(why)),
        }
        Ok(())
    }

    async fn put(&self, read: Read) -> Result<(), StoreError> {
        let now = now_ms();
        let (path, kind, modified_ns) = (read.path.clone(), read.kind.clone(), read.modified_ns);
        let put = move |db: &store::rusqlite::Connection| {
            // What was taken out of the index while it was read stays out.
            if !db::covers(&db::watched(db)?, &read.path) {
                return Ok(db::Outcome::default());
            }
            db::put(db, &read, now)
        };
        let outcome = self.change(put).await?;
        let texts = outcome.texts.clone();
        self.apply(&outcome, Some(Entry { path, kind, modified_ns, texts }));
        Ok(())
    }

    async fn reads<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&store::rusqlite::Connection) -> store::rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || shared.store.read_blocking(query));
        read.await.unwrap_or_else(|panicked| Err(StoreError::Commit(panicked.to_string())))
    }
}

/// What is known at and below a path, with the time of its reading.
fn known_at(
    db: &store::rusqlite::Connection,
    path: &str,
    deep: bool,
) -> store::rusqlite::Result<Vec<(Known, i64)>> {
    let all = db::known_below(db, path)?;
    let here = Watched { path: path.to_owned(), deep };
    Ok(all.into_iter().filter(|(known, _)| db::covers(std::slice::from_ref(&here), &known.path)).collect())
}

/// Files that a look has still before it. Looks nest, and each takes off what it put on, however it ends.
struct Before<'a> {
    all: &'a AtomicU64,
    own: u64,
}

impl<'a> Before<'a> {
    fn of(all: &'a AtomicU64, files: usize) -> Self {
        all.fetch_add(files as u64, Ordering::Relaxed);
        Self { all, own: files as u64 }
    }

    fn one_less(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.own -= 1;
    }
}

impl Drop for Before<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// Ends what runs on a blocking thread when nobody waits for it any more.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Others first: on a machine that has more to do than it can, what took so long is followed by as long a rest.
pub(crate) async fn breathe(worked: Duration) {
    if is_busy() {
        tokio::time::sleep(worked.min(REST_MAX)).await;
    }
}

fn is_busy() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "a number of processors")]
    load.is_some_and(|load| load > 2.0 * cores as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_nest_and_each_counts_its_own() {
        let all = AtomicU64::new(0);
        let mut outer = Before::of(&all, 3);
        outer.one_less();
        {
            let mut inner = Before::of(&all, 2);
            inner.one_less();
            assert_eq!(all.load(Ordering::Relaxed), 3);
        }
        assert_eq!(all.load(Ordering::Relaxed), 2, "what an inner look has not done is no longer before it");
        drop(outer);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn every_name_of_a_file_that_is_gone_is_gone() {
        let known = |id: i64, path: &str| {
            let path = path.to_owned();
            let known = Known {
                id,
                path,
                identity: (1, 7),
                bytes: 3,
                modified_ns: 5,
                hash: None,
                kind: String::new(),
                skipped: None,
            };
            (known, 1_000_000)
        };
        let found = Found { path: "/c".to_owned(), identity: (1, 7), bytes: 3, modified_ns: 5 };
        let all = vec![known(1, "/a"), known(2, "/b")];
        let difference = Difference::of(all.clone(), Vec::new());
        assert_eq!(difference.gone.len(), 2);
        let difference = Difference::of(all, vec![found]);
        assert_eq!((difference.moved.len(), difference.gone.len(), difference.read.len()), (1, 1, 0));
    }
}
