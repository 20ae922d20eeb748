//! Finds backends: reads the capability files of the run directory at the start and after every change in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use service::watch::{self, Watch};
use supervisor::{ChildError, ChildSpec, Slot, SupervisorHandle, Tasks};

use super::capfile::{self, CapFile, FILE_BYTES_MAX};
use super::link::{Arguments, Link};
use super::wire::Pool;
use super::{BACKENDS_MAX, BackendConfig};
use crate::routes::Routes;

/// Starts a link for every backend there is, and stops those that are gone.
pub(crate) struct Discovery;

/// The backends that links were started for. It outlives the actor, as the links do.
pub(crate) type Known = Arc<Mutex<BTreeMap<String, CapFile>>>;

pub(crate) enum Message {
    /// Something changed in the folder.
    Look,
    /// What is in it.
    Found(Folder),
    /// The links are as the folder wants them.
    Made,
}

/// What a look at the folder brought.
#[derive(Default)]
pub(crate) struct Folder {
    found: BTreeMap<String, CapFile>,
    /// Files that cannot be used, and why.
    ignored: BTreeMap<PathBuf, String>,
    /// Files beyond those that are read.
    beyond: usize,
}

/// One look is taken at a time, and followed before the next, or an older one could have the last word.
#[derive(Clone, Copy, PartialEq)]
enum Looking {
    No,
    Now,
    /// Something changed meanwhile.
    AndAgain,
}

pub(crate) struct State {
    config: Arc<BackendConfig>,
    routes: Routes,
    links: SupervisorHandle,
    tasks: Tasks,
    known: Known,
    /// Whether this actor has not looked yet: then it does not know which of the known links still run.
    fresh: bool,
    looking: Looking,
    /// What was complained about: not again until it changes.
    ignored: BTreeMap<PathBuf, String>,
    beyond: usize,
    _watch: Option<Watch>,
}

impl Actor for Discovery {
    type Msg = Message;
    type State = State;
    type Arguments = (Arc<BackendConfig>, Routes, SupervisorHandle, Known, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        (config, routes, links, known, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let told = myself.clone();
        let watch = watch::folder(&config.dir, &tasks, move || drop(told.cast(Message::Look)));
        myself.cast(Message::Look)?;
        Ok(State {
            config,
            routes,
            links,
            tasks,
            known,
            fresh: true,
            looking: Looking::No,
            ignored: BTreeMap::new(),
            beyond: 0,
            _watch: watch,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Look if state.looking == Looking::No => state.look(myself),
            Message::Look => state.looking = Looking::AndAgain,
            Message::Found(folder) => {
                state.complain(folder.ignored, folder.beyond);
                state.follow(folder.found, myself);
            }
            Message::Made => {
                if std::mem::replace(&mut state.looking, Looking::No) == Looking::AndAgain {
                    state.look(myself);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn look(&mut self, myself: ActorRef<Message>) {
        self.looking = Looking::Now;
        let (config, routes) = (Arc::clone(&self.config), self.routes.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        self.tasks.spawn_blocking(move || {
            let _ = myself.cast(Message::Found(read_folder(&config, &routes, &known)));
        });
    }

    fn complain(&mut self, ignored: BTreeMap<PathBuf, String>, beyond: usize) {
        for (file, why) in ignored.iter().filter(|(file, why)| self.ignored.get(*file) != Some(why)) {
            tracing::warn!(file = %file.display(), "capability file ignored: {why}");
        }
        if beyond > 0 && self.beyond == 0 {
            tracing::warn!(beyond, "more than {BACKENDS_MAX} capability files: the others are not read");
        }
        (self.ignored, self.beyond) = (ignored, beyond);
    }

    /// Stops the links that are gone or changed and starts the new ones, in a task: a link takes its time to
    /// stop.
    fn follow(&mut self, found: BTreeMap<String, CapFile>, myself: ActorRef<Message>) {
        let fresh = std::mem::take(&mut self.fresh);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = |name: &String, file| known.get(name) != Some(file);
        let gone: Vec<String> = known
            .iter()
            .filter(|(name, file)| found.get(*name) != Some(file))
            .map(|(n, _)| n.clone())
            .collect();
        let new: Vec<ChildSpec> = found
            .iter()
            .filter(|(name, file)| fresh || changed(name, file))
            .map(|(name, file)| self.link(name, file))
            .collect();
        *known = found;
        drop(known);
        let (links, routes) = (self.links.clone(), self.routes.clone());
        self.tasks.spawn(async move {
            for name in gone {
                if let Err(error) = links.stop_child(&name).await {
                    tracing::debug!(backend = name, %error, "link was not there");
                }
                routes.remove(&name);
            }
            for link in new {
                match links.start_child(link).await {
                    // It runs on from before discovery was restarted.
                    Ok(()) | Err(ChildError::AlreadyThere(_)) => {}
                    Err(error) => tracing::error!(%error, "cannot start a link"),
                }
            }
            let _ = myself.cast(Message::Made);
        });
    }

    fn link(&self, name: &str, file: &CapFile) -> ChildSpec {
        let slot = Slot::vacant();
        let arguments = Arguments {
            name: name.to_owned(),
            file: file.clone(),
            pool: Arc::new(Pool::new(name, &self.config)),
            routes: self.routes.clone(),
            slot: slot.clone(),
        };
        ChildSpec::worker(name, &slot, move |context| {
            (Link, (arguments.clone(), context.tasks(), context.meter.clone()))
        })
    }
}

/// Reads the folder; who is `known` is read first, so that no heap of files can push it out.
fn read_folder(config: &BackendConfig, routes: &Routes, known: &BTreeSet<String>) -> Folder {
    let mut folder = Folder::default();
    let entries = match std::fs::read_dir(&config.dir) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(folder = %config.dir.display(), %error, "cannot look for backends");
            return folder;
        }
    };
    let named = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_str().and_then(capfile::service_name)?.to_owned();
        Some((!known.contains(&name), name, entry.path()))
    };
    let mut files: Vec<_> = entries.flatten().filter_map(named).collect();
    files.sort_unstable();
    for (_, name, path) in files {
        if folder.found.len() >= BACKENDS_MAX {
            folder.beyond += 1;
            continue;
        }
        let file = read_file(&name, &path);
        if config.reserved.contains(&name) {
            let table = routes.load();
            let ours = |file: CapFile| {
                let mut methods = file.capabilities.iter();
                methods.all(|m| table.get(&m.method).is_some_and(|route| route.entry.service == name))
            };
            if !file.is_ok_and(ours) {
                folder.ignored.insert(path, format!("'{name}' is a service of our own"));
            }
            continue;
        }
        match file {
            Ok(file) => drop(folder.found.insert(name, file)),
            Err(why) => drop(folder.ignored.insert(path, why)),
        }
    }
    folder
}

fn read_file(name: &str, path: &Path) -> Result<CapFile, String> {
    // Looked at before it is opened: opening a pipe waits for its other end, and a device has none.
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("not a regular file".to_owned());
    }
    if meta.len() > FILE_BYTES_MAX {
        return Err(format!("{} bytes; at most {FILE_BYTES_MAX} are read", meta.len()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    capfile::parse(name, &text)
}
