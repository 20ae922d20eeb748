//! A child that reads a folder: once at the start, and again after every change in it.
//!
//! The folder need not be there. What it is in is watched too, so that a folder that is made, moved or replaced while
//! the daemon runs is read without a restart.

use std::path::PathBuf;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot, Tasks};

use crate::watch::{self, Watch};

/// What is done. It may wait for the disk, and two of them may overlap.
type Read = dyn Fn() + Send + Sync;

struct Reader;

enum News {
    /// The folder itself came, went, or is another one.
    Folder,
    /// Something in it changed.
    Inside,
}

/// The watches end with the actor.
struct State {
    folder: PathBuf,
    read: Arc<Read>,
    tasks: Tasks,
    _around: Option<Watch>,
    inside: Option<Watch>,
}

/// A child that calls `read` when it starts and whenever something in `folder` has changed.
pub fn reader(id: &str, folder: PathBuf, read: impl Fn() + Send + Sync + 'static) -> ChildSpec {
    let read: Arc<Read> = Arc::new(read);
    ChildSpec::worker(id, &Slot::vacant(), move |context| {
        (Reader, (folder.clone(), Arc::clone(&read), context.tasks()))
    })
}

impl Actor for Reader {
    type Msg = News;
    type State = State;
    type Arguments = (PathBuf, Arc<Read>, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<News>,
        (folder, read, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let told = myself.clone();
        let itself = [folder.clone()];
        let around = folder
            .parent()
            .is_some_and(std::path::Path::is_dir)
            .then(|| watch::files(&itself, &tasks, move || drop(told.cast(News::Folder))))
            .flatten();
        // What changed before the watch was there is seen by the first reading.
        myself.cast(News::Folder)?;
        Ok(State { folder, read, tasks, _around: around, inside: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<News>,
        news: News,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if matches!(news, News::Folder) {
            state.inside = state
                .folder
                .is_dir()
                .then(|| watch::folder(&state.folder, &state.tasks, move || drop(myself.cast(News::Inside))))
                .flatten();
        }
        let read = Arc::clone(&state.read);
        state.tasks.spawn_blocking(move || read());
        Ok(())
    }
}
