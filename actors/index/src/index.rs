//! The handle that others hold: what is watched, what is known, and how far it is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use embedding::Embedder;
use roaring::RoaringTreemap;
use store::{Outlasts, Store, StoreError};
use tokio::sync::{Notify, SetOnce};

use crate::contents::Contents;
use crate::db::{self, Outcome, Watched};
use crate::earlier::{Earlier, OfModel};
use crate::near::{Near, SharedNear};
use crate::queue::Queue;
use crate::source::Files;
use crate::table::{Entry, Table};

/// What the index is told.
pub struct Config {
    /// Whose files.
    pub files: Arc<dyn Files>,
    /// Where everything is kept.
    pub store: Store,
    /// Where the parts that are made from it are kept: `state_dir/index`.
    pub folder: PathBuf,
    /// Who reads them.
    pub reader: Arc<dyn reading::Reader>,
    /// Who makes vectors.
    pub embedder: Embedder,
    /// Which model that is.
    pub model: String,
    /// Where any other is loaded from, that was this before.
    pub of_model: OfModel,
    /// The longest text that is read, in bytes.
    pub text_bytes: usize,
    /// The longest document that is read, in bytes.
    pub document_bytes: usize,
    /// How often everything is looked at, in case a change was not told.
    pub look_every: Duration,
    /// When graphs of vectors are built.
    pub limits: vectors::Limits,
}

/// The index. Cheap to clone.
#[derive(Clone)]
pub struct Index(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) contents: Contents,
    pub(crate) store: Store,
    pub(crate) folder: PathBuf,
    pub(crate) embedder: Embedder,
    pub(crate) model: String,
    pub(crate) earlier: Earlier,
    /// The model was asked what it is, as it is not called what the vectors' was.
    pub(crate) asked: AtomicBool,
    /// Held by who takes a model for the one whose vectors are made.
    pub(crate) knowing: tokio::sync::Mutex<()>,
    pub(crate) look_every: Duration,
    pub(crate) limits: vectors::Limits,
    pub(crate) queue: Queue,
    /// What is kept was read; before that nobody can be answered.
    pub(crate) opened: SetOnce<()>,
    pub(crate) table: RwLock<Table>,
    /// What is answered from.
    pub(crate) near: SharedNear,
    /// What is made beside it, after the model changed.
    pub(crate) next: SharedNear,
    /// Texts came, or vectors.
    pub(crate) news: Notify,
    /// What is watched changed.
    pub(crate) watching: Notify,
    pub(crate) counters: Counters,
    /// Why there are no vectors just now.
    pub(crate) trouble: Mutex<Option<String>>,
    /// Why files are not read just now.
    pub(crate) behind: Mutex<Option<String>>,
}

/// What was done since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) files: AtomicU64,
    pub(crate) vectors: AtomicU64,
    /// Files that a scan has still before it.
    pub(crate) before: AtomicU64,
}

/// How the index is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Files that can be found.
    pub files: u64,
    /// Files of which nothing can be found.
    pub skipped: u64,
    /// Pieces of files.
    pub chunks: u64,
    /// Distinct texts among them.
    pub texts: u64,
    /// Texts that can be found by meaning.
    pub vectors: u64,
    /// Texts that cannot yet.
    pub wanting: u64,
    /// Files and folders that wait to be looked at.
    pub waiting: u64,
    /// Why nothing is found by meaning, if nothing is.
    pub trouble: Option<String>,
    /// Why files are not read just now, if they are not.
    pub behind: Option<String>,
    /// What makes vectors, for a person.
    pub model: Option<String>,
    /// The memory of vectors, in bytes.
    pub memory: u64,
    /// What is kept current.
    pub watched: Vec<String>,
}

impl Index {
    /// An index over what the state file holds. Cheap: everything is read by its child ([`crate::child`]).
    pub fn new(config: Config) -> Self {
        let Config { files, reader, store, folder, embedder, model, of_model, .. } = config;
        let Config { text_bytes, document_bytes, look_every, limits, .. } = config;
        let contents = Contents { files, reader, text_bytes, document_bytes };
        Self(Arc::new(Shared {
            contents,
            store,
            folder,
            embedder,
            model,
            earlier: Earlier::new(of_model),
            asked: AtomicBool::new(false),
            knowing: tokio::sync::Mutex::default(),
            look_every,
            limits,
            queue: Queue::default(),
            opened: SetOnce::new(),
            table: RwLock::default(),
            near: ArcSwapOption::empty(),
            next: ArcSwapOption::empty(),
            news: Notify::new(),
            watching: Notify::new(),
            counters: Counters::default(),
            trouble: Mutex::default(),
            behind: Mutex::default(),
        }))
    }

    /// Keeps a path current from now on, and looks at it; how many files were read when that is done.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub async fn watch(&self, path: &str, deep: bool) -> Result<Ticket, StoreError> {
        let wanted = Watched { path: path.to_owned(), deep };
        let now = now_ms();
        self.0.store.write(move |db| db::watch(db, &wanted, now)).await?;
        // Asked for first: the watcher asks for another look, which must find that this one has read everything.
        let ticket = self.rescan(path, deep);
        self.0.watching.notify_one();
        Ok(ticket)
    }

    /// Looks at a path again.
    pub fn rescan(&self, path: &str, deep: bool) -> Ticket {
        Ticket { index: self.clone(), number: self.0.queue.scan(path, deep) }
    }

    /// Keeps a path no longer, and forgets what was known of it. How many files that were, and how many paths that were
    /// watched; files that another watched path covers stay.
    ///
    /// # Errors
    /// When the state file cannot be changed.
    pub async fn unwatch(&self, path: &str) -> Result<(usize, usize), StoreError> {
        let below = path.to_owned();
        let (rows, left) =
            self.0.store.write(move |db| Ok((db::unwatch(db, &below)?, db::watched(db)?))).await?;
        self.0.watching.notify_one();
        if db::covers(&left, path) || left.iter().any(|one| one.deep && db::is_below(path, &one.path)) {
            return Ok((0, rows));
        }
        let mut files = 0;
        loop {
            let below = path.to_owned();
            let gone = self.0.store.write(move |db| db::forget_below(db, &below, FORGET_AT_ONCE)).await?;
            if gone.gone_files.is_empty() {
                return Ok((files, rows));
            }
            files += gone.gone_files.len();
            self.0.apply(&gone, None);
        }
    }

    /// Forgets what is known of the files at and below a path, and reads them again.
    ///
    /// # Errors
    /// When the state file cannot be changed.
    pub async fn renew(&self, path: &str) -> Result<Vec<Ticket>, StoreError> {
        let (below, all) = (path.to_owned(), path.to_owned());
        self.0.store.write(move |db| db::distrust(db, &below)).await?;
        let watched = self.0.store.write(db::watched).await?;
        let within = watched.iter().filter(|one| db::is_below(&one.path, &all));
        let mut again: Vec<Ticket> = within.map(|one| self.rescan(&one.path, one.deep)).collect();
        if let (true, Some(one)) =
            (again.is_empty(), watched.iter().find(|one| db::covers(std::slice::from_ref(one), path)))
        {
            again.push(self.rescan(path, one.deep));
        }
        Ok(again)
    }

    /// How the index of what is at and below each of these paths is, together. Blocks on the disk.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn status<P: AsRef<str>>(&self, paths: &[P]) -> Result<Status, StoreError> {
        let (counts, watched) = self.0.store.read_blocking(|db| {
            let each = paths.iter().map(|path| db::counts(db, path.as_ref()));
            let all = each.sum::<store::rusqlite::Result<db::Counts>>()?;
            Ok((all, db::watched(db)?))
        })?;
        let near = crate::near::of(&self.0.near);
        let wanting = match crate::near::of(&self.0.next).or_else(|| near.clone()) {
            Some(near) => near.wanted(),
            None => self.0.table().texts(|_| true).len(),
        };
        let state = self.0.embedder.status().state;
        let model = match &state {
            embedding::State::Loaded(facts) => Some(shown(facts)),
            _ => None,
        };
        let failed = match state {
            embedding::State::Failed(error) => Some(error.public()),
            _ => None,
        };
        Ok(Status {
            files: counts.files,
            skipped: counts.skipped,
            chunks: counts.chunks,
            texts: counts.texts,
            vectors: near.as_ref().map_or(0, |near| near.len() as u64),
            wanting,
            waiting: self.0.queue.len() as u64 + self.0.counters.before.load(Ordering::Relaxed),
            trouble: failed.or_else(|| said(&self.0.trouble)),
            behind: said(&self.0.behind),
            model,
            memory: near.as_ref().map_or(0, |near| near.stats().bytes as u64),
            watched: watched.into_iter().map(|one| one.path).collect(),
        })
    }

    /// Files that were read because they were new or had changed, and vectors that were made, since the start.
    pub fn done(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.0.counters.files), count(&self.0.counters.vectors))
    }

    /// Whether the graphs of all vectors that there are were built; search is right without them, and slower.
    pub fn is_settled(&self) -> bool {
        [&self.0.near, &self.0.next].into_iter().filter_map(crate::near::of).all(|near| near.is_settled())
    }

    /// Resolves when something was done that [`Index::status`] shows; at the latest after a second.
    pub async fn news(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.0.news.notified()).await;
    }
}

/// Files that are forgotten in one transaction.
const FORGET_AT_ONCE: u32 = 500;

/// A look at a path that was asked for.
pub struct Ticket {
    index: Index,
    number: u64,
}

impl Ticket {
    /// Resolves when it is done: words can be found then, and vectors are being made.
    pub async fn done(self) {
        self.index.0.queue.finished(self.number).await;
    }
}

impl Shared {
    pub(crate) fn table(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings what is in memory up to a change that is committed.
    pub(crate) fn apply(&self, outcome: &Outcome, put: Option<Entry>) {
        {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            for file in &outcome.gone_files {
                table.forget(*file);
            }
            if let (Some(file), Some(entry)) = (outcome.file, put) {
                table.put(file, entry);
            }
        }
        for near in [&self.near, &self.next].into_iter().filter_map(crate::near::of) {
            near.forget(&outcome.gone_texts);
            near.want(&outcome.texts);
        }
        self.news.notify_waiters();
        self.news.notify_one();
    }

    /// Runs one change that need only outlast the process: all of this can be made again.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&store::rusqlite::Connection) -> store::rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.store.write_to(Outlasts::Crash, change).await
    }

    /// Opens the vectors of the model that is answered from. Blocks.
    pub(crate) fn open_near(&self) -> Result<(), crate::near::OpenError> {
        if let Some(model) = self.store.read_blocking(db::model_of)? {
            self.open_into(&self.near, model)?;
        }
        Ok(())
    }

    /// Opens the vectors of a model. Blocks.
    pub(crate) fn open_into(
        &self,
        place: &SharedNear,
        model: db::Model,
    ) -> Result<(), crate::near::OpenError> {
        let mut texts = RoaringTreemap::new();
        self.store.read_blocking(|db| {
            db::all_texts(db, |text| {
                texts.insert(text);
            })
        })?;
        let near = Arc::new(Near::open(&self.store, &self.folder, self.limits, model, &texts)?);
        place.store(Some(Arc::clone(&near)));
        // What came between the two looks told the vectors before these.
        let all: Vec<u64> = self.table().texts(|_| true).iter().collect();
        near.want(&all);
        Ok(())
    }
}

fn said(why: &Mutex<Option<String>>) -> Option<String> {
    why.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A model and who runs it, without where that is.
fn shown(facts: &embedding::Facts) -> String {
    let name = facts.model.rsplit('/').next().unwrap_or_default();
    let runtime = facts.runtime.split(',').next().unwrap_or_default();
    format!("{name} by {runtime}")
}

pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
