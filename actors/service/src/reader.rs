//! A child that reads a folder: once at the start, and again after every change in it.
//!
//! The folder need not be there. While it is not, what it is in is watched, so that a folder that is made, moved or
//! replaced while the daemon runs is read without a restart. Only then: in `/etc` every program that starts on the machine
//! opens a file, and each time the daemon would be woken.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot, Tasks};

use crate::watch::{self, Watch};

/// What is done. It may wait for the disk, and two of them may overlap.
type Read = dyn Fn() + Send + Sync;

struct Reader;

/// Something may have changed: the folder, or in it.
struct News;

/// The watches end with the actor.
struct State {
    folder: PathBuf,
    read: Arc<Read>,
    tasks: Tasks,
    watched: Watched,
    /// Held: it watches for as long as it lives.
    watch: Option<Watch>,
}

/// What is watched: the folder that it was, by its number, or where it would be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    Nothing,
    Around,
    Inside(Number),
}

/// Device and inode, and since when, as file systems give a number again at once: another folder of the same name has
/// another.
type Number = (u64, u64, Option<SystemTime>);

/// A folder that changes its number more often than this, while it is looked at, is looked at again at its next change.
const LOOKS_MAX: usize = 8;

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
        myself.cast(News)?;
        Ok(State { folder, read, tasks, watched: Watched::Nothing, watch: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<News>,
        News: News,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // Watched first: what changes after that is news again, and what changed before is read now.
        state.look(&myself);
        let read = Arc::clone(&state.read);
        state.tasks.spawn_blocking(move || read());
        Ok(())
    }
}

impl State {
    /// Watches what is there now, until it is what was there when it was looked for.
    fn look(&mut self, myself: &ActorRef<News>) {
        for _ in 0..LOOKS_MAX {
            let now = number(&self.folder).map_or(Watched::Around, Watched::Inside);
            if now == self.watched {
                return;
            }
            let told = myself.clone();
            let changed = move || drop(told.cast(News));
            let around = self.folder.parent().is_some_and(Path::is_dir);
            self.watch = match now {
                Watched::Inside(_) => watch::folder(&self.folder, &self.tasks, changed),
                Watched::Around if around => {
                    watch::files(std::slice::from_ref(&self.folder), &self.tasks, changed)
                }
                Watched::Around | Watched::Nothing => None,
            };
            self.watched = now;
        }
    }
}

fn number(folder: &Path) -> Option<Number> {
    let found = std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir)?;
    Some((found.dev(), found.ino(), found.created().ok()))
}
