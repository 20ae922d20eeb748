//! Finds backends: reads the capability files of the run directory at the start and after every change in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildError, ChildSpec, Slot, SupervisorHandle, Tasks};

use super::capfile::{self, CapFile, FILE_BYTES_MAX};
use super::link::{Arguments, Link};
use super::wire::Pool;
use super::{BACKENDS_MAX, BackendConfig};
use crate::routes::Routes;
use crate::watch::{self, Watch};

/// Starts a link for every backend there is, and stops those that are gone.
pub(crate) struct Discovery;

/// The backends that links were started for. It outlives the actor, as the links do.
pub(crate) type Known = Arc<Mutex<BTreeMap<String, CapFile>>>;

pub(crate) enum Message {
    /// Something changed in the folder.
    Look,
    /// What is in it.
    Found(BTreeMap<String, CapFile>),
}

pub(crate) struct State {
    config: Arc<BackendConfig>,
    routes: Routes,
    links: SupervisorHandle,
    tasks: Tasks,
    known: Known,
    /// Whether this actor has not looked yet: then it does not know which of the known links still run.
    fresh: bool,
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
        Ok(State { config, routes, links, tasks, known, fresh: true, _watch: watch })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Look => {
                let config = Arc::clone(&state.config);
                state.tasks.spawn_blocking(move || {
                    let _ = myself.cast(Message::Found(read_folder(&config)));
                });
            }
            Message::Found(found) => state.follow(found),
        }
        Ok(())
    }
}

impl State {
    /// Stops the links that are gone or changed and starts the new ones, in a task: a link takes its time to
    /// stop.
    fn follow(&mut self, found: BTreeMap<String, CapFile>) {
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

fn read_folder(config: &BackendConfig) -> BTreeMap<String, CapFile> {
    let entries = match std::fs::read_dir(&config.dir) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(folder = %config.dir.display(), %error, "cannot look for backends");
            return BTreeMap::new();
        }
    };
    let mut found = BTreeMap::new();
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().and_then(capfile::service_name) else { continue };
        if config.reserved.iter().any(|ours| ours == name) || found.len() >= BACKENDS_MAX {
            continue;
        }
        match read_file(name, &entry.path()) {
            Ok(file) => drop(found.insert(name.to_owned(), file)),
            Err(why) => tracing::warn!(file = %entry.path().display(), "capability file ignored: {why}"),
        }
    }
    found
}

fn read_file(name: &str, path: &Path) -> Result<CapFile, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{size} bytes; at most {FILE_BYTES_MAX} are read"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    capfile::parse(name, &text)
}
