//! A running tree, seen from outside: started, watched, poked and stopped.
//!
//! Reading it asks no actor, so it works when all of them are stuck. What changes it
//! goes through the supervisor concerned.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorCell, SpawnErr};
use tokio::sync::{broadcast, watch};
use tokio::time;

use crate::child_spec::ChildSpec;
use crate::events::{Event, Events, What};
use crate::handle::{ChildError, SupervisorHandle};
use crate::keeper::{Exit, Keeper};
use crate::launch::StartFailed;
use crate::leaving::deadline_in;
use crate::seat::Seat;
use crate::snapshot::{Node, SHOWN_MAX};
use crate::supervisor_spec::SupervisorSpec;
use crate::worker;

/// A running supervision tree. Clones are the same tree; dropping them ends nothing.
#[derive(Clone)]
pub struct Tree(Arc<Shared>);

struct Shared {
    root: Arc<Seat>,
    events: Events,
    stopping: AtomicBool,
    exit: watch::Sender<Option<Exit>>,
}

/// A path, or the last segment of one, that names no running actor or more than one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no running actor, or more than one")]
pub struct NoSuchActor(pub String);

/// Starts a tree: children in order, each when those before it have started. If one
/// fails, those before it are stopped again in reverse.
pub async fn start(spec: SupervisorSpec) -> Result<Tree, StartFailed> {
    let path = Arc::clone(&spec.id);
    spec.check().map_err(|cause| StartFailed { path: Arc::clone(&path), cause: cause.into() })?;
    let shared = Shared {
        root: Seat::new(Arc::new(ChildSpec::supervisor(spec)), None),
        events: Events::new(),
        stopping: AtomicBool::new(false),
        exit: watch::Sender::new(None),
    };
    let tree = Tree(Arc::new(shared));
    match Actor::spawn(None, Keeper, tree.clone()).await {
        Ok(_) => Ok(tree),
        Err(SpawnErr::StartupFailed(cause)) => Err(StartFailed::at(&path, cause)),
        Err(other) => Err(StartFailed::at(&path, other.into())),
    }
}

/// Twice what each part of a killed tree is waited for: then the process must end as it is.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(10);

// === impl Tree ===

impl Tree {
    /// The whole tree at this moment, 100 children at most for each supervisor.
    pub fn snapshot(&self) -> Node {
        Node::of(self.root(), SHOWN_MAX)
    }

    /// One actor and those below it, by its path (`root/services/fs`) or by the last
    /// segment of it (`fs`), if only one actor has that.
    pub fn actor(&self, path: &str) -> Option<Node> {
        self.seat(path).map(|seat| Node::of(&seat, SHOWN_MAX))
    }

    /// The way to a supervisor, named as in [`Tree::actor`].
    pub fn supervisor(&self, path: &str) -> Option<SupervisorHandle> {
        Some(self.seat(path)?.below.as_ref()?.spec.handle())
    }

    /// The last 1 000 events, oldest first.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.0.events.recent()
    }

    /// The events from now on. A reader who lags by more than 1 000 is told how many it
    /// missed, and goes on from there.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.events.follow()
    }

    /// Drains an actor and starts it anew, named as in [`Tree::actor`].
    pub async fn restart(&self, path: &str) -> Result<(), ChildError> {
        let none = || ChildError::NoSuchChild(path.into());
        let seat = self.seat(path).ok_or_else(none)?;
        let above = seat.path.rsplit_once('/').ok_or_else(none)?.0;
        self.supervisor(above).ok_or_else(none)?.restart_child(seat.id()).await
    }

    /// Kills an actor, as a fault: its work is cut off where it awaits.
    pub fn kill(&self, path: &str) -> Result<(), NoSuchActor> {
        self.cell(path)?.kill();
        Ok(())
    }

    /// Makes an actor panic, as a fault, when it is done with the message in hand.
    pub async fn panic(&self, path: &str) -> Result<(), NoSuchActor> {
        worker::panic(self.cell(path)?).await;
        Ok(())
    }

    /// Stops the tree in reverse start order, each child drained within its own time.
    /// What is left after `grace` is killed. Returns when all has ended.
    pub async fn stop(&self, grace: Duration) -> Exit {
        self.0.stopping.store(true, Ordering::Relaxed);
        if let Some(root) = self.root().cell() {
            root.stop(Some("shutdown".into()));
            if let Ok(exit) = time::timeout_at(deadline_in(grace), self.wait()).await {
                return exit;
            }
            tracing::error!("has not stopped within {grace:?}: killing what is left");
            root.kill();
            return time::timeout(LEFT_BEHIND_AFTER, self.wait()).await.unwrap_or_else(|_| Exit::Exhausted {
                what: format!("{}: it cannot be killed, because it never awaits", self.root().path),
            });
        }
        self.wait().await
    }

    /// Waits for the end of the tree.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.0.exit.subscribe();
        match exit.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(exit)) => exit.clone(),
            _ => unreachable!("we hold the sender, and waited for an exit"),
        }
    }

    pub(crate) fn root(&self) -> &Arc<Seat> {
        &self.0.root
    }

    pub(crate) fn tell(&self, path: &Arc<str>, what: What) {
        self.0.events.tell(path, what);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn exit(&self, exit: Exit) {
        self.0.exit.send_replace(Some(exit));
    }

    fn cell(&self, path: &str) -> Result<ActorCell, NoSuchActor> {
        self.seat(path).and_then(|seat| seat.cell()).ok_or_else(|| NoSuchActor(path.into()))
    }

    fn seat(&self, path: &str) -> Option<Arc<Seat>> {
        self.seat_at(path).or_else(|| self.only_seat_called(path))
    }

    fn seat_at(&self, path: &str) -> Option<Arc<Seat>> {
        let mut segments = path.split('/');
        let root = self.root();
        if segments.next()? != &**root.id() {
            return None;
        }
        segments.try_fold(Arc::clone(root), |seat, id| seat.below.as_ref()?.find(id))
    }

    fn only_seat_called(&self, id: &str) -> Option<Arc<Seat>> {
        let mut called = self.root().family().into_iter().filter(|seat| &**seat.id() == id);
        called.next().filter(|_| called.next().is_none())
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tree").field(&self.root().path).finish()
    }
}
