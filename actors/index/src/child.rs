//! The index's place in the supervision tree: one child that reads what is kept, and owns the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot, Tasks};

use crate::db::Watched;
use crate::index::{Index, Shared};
use crate::source::Watching;
use crate::table::Table;
use crate::{db, keeping, vectorising};

/// How long a commit that is under way may take at the end.
const DRAIN: Duration = Duration::from_secs(2);

struct Keeper;

/// The work ends with the actor.
struct State {
    stop: Arc<AtomicBool>,
    _tasks: Tasks,
}

/// The index as a child of a supervisor.
pub fn child(id: &str, index: &Index) -> ChildSpec {
    let (index, seen) = (index.clone(), index.clone());
    ChildSpec::worker(id, &Slot::vacant(), move |context| (Keeper, (index.clone(), context.tasks())))
        .shutdown(DRAIN)
        .note(move || seen.note())
}

impl Actor for Keeper {
    type Msg = ();
    type State = State;
    type Arguments = (Index, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (Index(shared), tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        tasks.spawn(async move {
            let opening = Arc::clone(&shared);
            let opened = tokio::task::spawn_blocking(move || opening.open()).await;
            if let Ok(Err(error)) = &opened {
                tracing::error!(error, "the index cannot be opened; only words are found");
            }
            // It was set already if this is a restart.
            let _ = shared.opened.set(());
            shared.queue.all();
            tokio::join!(
                keeping::keep(Arc::clone(&shared)),
                vectorising::vectorise(Arc::clone(&shared)),
                vectorising::build(Arc::clone(&shared), told),
                watch(Arc::clone(&shared)),
            );
        });
        Ok(State { stop, _tasks: tasks })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Watches what is watched, anew whenever that changes.
async fn watch(shared: Arc<Shared>) {
    let (mut known, mut watches) = (Vec::new(), Vec::new());
    loop {
        let told = shared.watching.notified();
        let watching = Arc::clone(&shared);
        let begun = tokio::task::spawn_blocking(move || watching.begin_watching()).await;
        let (watched, begun) = begun.unwrap_or_default();
        // The earlier ones end when these have begun, so that no moment is without.
        drop(std::mem::replace(&mut watches, begun));
        // What was saved between the first look at a path and now was told to nobody.
        for one in watched.iter().filter(|one| !known.contains(*one)) {
            shared.queue.scan(&one.path, one.deep);
        }
        known = watched;
        told.await;
    }
}

impl Shared {
    fn open(self: &Arc<Self>) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let table = self.store.read_blocking(Table::read).map_err(|error| said(&error))?;
        *self.table.write().unwrap_or_else(std::sync::PoisonError::into_inner) = table;
        self.open_near().map_err(|error| said(&error))
    }

    fn begin_watching(self: &Arc<Self>) -> (Vec<Watched>, Vec<Watching>) {
        let watched = self.store.read_blocking(db::watched).unwrap_or_default();
        let watches = watched.iter().filter_map(|one| {
            let shared = Arc::downgrade(self);
            let changed = move |path| {
                if let Some(shared) = shared.upgrade() {
                    shared.queue.changed(path);
                }
            };
            self.contents.files.watch(&one.path, Box::new(changed))
        });
        let watches = watches.collect();
        (watched, watches)
    }
}

impl Index {
    /// How it is, in a line; none while there is nothing to say.
    fn note(&self) -> Option<String> {
        let waiting = self.0.queue.len() as u64 + self.0.counters.before.load(Ordering::Relaxed);
        let making = crate::near::of(&self.0.next).or_else(|| crate::near::of(&self.0.near));
        let wanting = making.map_or(0, |near| near.wanted());
        let trouble = self.0.trouble.lock().ok()?.clone();
        (waiting > 0 || wanting > 0 || trouble.is_some()).then(|| {
            let trouble = trouble.map(|why| format!("; {why}")).unwrap_or_default();
            format!("{waiting} files to read, {wanting} vectors to make{trouble}")
        })
    }
}
