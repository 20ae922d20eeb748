//! A supervisor's children, and how they are started: in order.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::{ActorCell, ActorId, ActorRef};
use tokio::task::AbortHandle;
use tokio::time::{self, Instant};

use crate::backoff::Retries;
use crate::budget::Budget;
use crate::child_spec::ChildSpec;
use crate::ended::{Ended, with_sources};
use crate::events::What;
use crate::handle::ChildError;
use crate::launch::{Berth, StartFailed};
use crate::leaving::deadline_in;
use crate::seat::{Below, Seat, State};
use crate::snapshot::Node;
use crate::supervisor::{Msg, Reply};
use crate::tasks::Tasks;
use crate::tree::Tree;

/// The state of one supervisor.
pub(crate) struct Children {
    pub(crate) myself: ActorRef<Msg>,
    /// Our own place, with those of the children below it.
    pub(crate) seat: Arc<Seat>,
    pub(crate) tree: Tree,
    pub(crate) by_id: HashMap<Arc<str>, Child>,
    /// The fixed children, in start order.
    pub(crate) order: Vec<Arc<str>>,
    /// Whose end is news. An actor that we end ourselves is taken out first.
    pub(crate) running: HashMap<ActorId, Arc<str>>,
    pub(crate) budget: Budget,
    pub(crate) turn: Turn,
    /// Timers.
    pub(crate) tasks: Tasks,
}

pub(crate) struct Child {
    pub(crate) seat: Arc<Seat>,
    pub(crate) retries: Retries,
    pub(crate) phase: Phase,
}

/// What a supervisor is about with one child.
pub(crate) enum Phase {
    Down,
    Up {
        since: Instant,
    },
    /// To be started again, when this turn comes.
    Waiting {
        turn: Turn,
    },
    /// Draining on request. Its end is awaited as an event, so that one slow child
    /// does not keep the others from being restarted.
    Stopping {
        replies: Vec<Reply>,
        again: bool,
        killer: AbortHandle,
    },
}

/// Which back-off a timer belongs to. A later one makes an earlier one void.
pub(crate) type Turn = u64;

impl Children {
    pub(crate) fn new(myself: ActorRef<Msg>, seat: Arc<Seat>, tree: Tree) -> Self {
        let fixed = &below(&seat).fixed;
        Self {
            by_id: fixed.iter().map(|child| (Arc::clone(child.id()), Child::new(child))).collect(),
            order: fixed.iter().map(|child| Arc::clone(child.id())).collect(),
            running: HashMap::new(),
            budget: Budget::new(below(&seat).spec.intensity),
            turn: 0,
            tasks: Tasks::in_tree(&seat.path, &seat.meter, &tree),
            myself,
            seat,
            tree,
        }
    }

    /// Starts the fixed children; if one fails, stops those before it again.
    pub(crate) async fn start_all(&mut self) -> Result<(), StartFailed> {
        for id in self.order.clone() {
            if let Err(failed) = self.start_one(&id).await {
                self.stop_all().await;
                return Err(failed);
            }
        }
        Ok(())
    }

    /// Starts a child that is not up.
    pub(crate) async fn start_one(&mut self, id: &Arc<str>) -> Result<(), StartFailed> {
        let Some(child) = self.by_id.get_mut(id) else { return Ok(()) };
        let seat = Arc::clone(&child.seat);
        // If this is cut short, it has not come up.
        child.phase = Phase::Down;
        seat.begin();
        match launch(&seat, &self.tree, self.myself.get_cell()).await {
            Ok(who) => {
                child.phase = Phase::Up { since: Instant::now() };
                self.running.insert(who, Arc::clone(id));
                self.tell_quietly(&seat, What::Started { restarts: seat.history().restarts });
                Ok(())
            }
            Err(failed) => {
                let text = with_sources(&failed);
                seat.vacate(State::Stopped);
                seat.failed(&text);
                self.tree.tell(&seat.path, What::Failed { text });
                Err(failed)
            }
        }
    }

    /// Starts a child that is not in the spec.
    pub(crate) async fn start_dynamic(&mut self, spec: ChildSpec) -> Result<(), ChildError> {
        let max = below(&self.seat).spec.dynamic_max;
        spec.check()?;
        if self.by_id.contains_key(&spec.id) {
            return Err(ChildError::AlreadyThere(spec.id));
        }
        if self.by_id.len() - self.order.len() >= max {
            return Err(ChildError::Full { max });
        }
        let seat = Seat::new(Arc::new(spec), Some(&self.seat.path));
        let id = Arc::clone(seat.id());
        below(&self.seat).add(&seat);
        self.by_id.insert(Arc::clone(&id), Child::new(&seat));
        let started = self.start_one(&id).await;
        if started.is_err() {
            self.forget(&id);
        }
        started.map_err(|failed| ChildError::NotStarted(Arc::new(failed)))
    }

    /// A dynamic child that ended is no child any more.
    pub(crate) fn forget(&mut self, id: &Arc<str>) {
        if !self.order.contains(id) {
            self.by_id.remove(id);
            below(&self.seat).remove(id);
        }
    }

    /// Tells of what is normal, unless that happens thousands of times.
    pub(crate) fn tell_quietly(&self, seat: &Seat, what: What) {
        if !seat.spec.numerous {
            self.tree.tell(&seat.path, what);
        }
    }

    pub(crate) fn tell_end(&self, seat: &Seat, how: &Ended) {
        let text = how.to_string();
        if how.is_failure() {
            seat.failed(&text);
            self.tree.tell(&seat.path, What::Failed { text });
        } else {
            self.tell_quietly(seat, What::Stopped { reason: text });
        }
    }

    /// Whose turn this is: the fixed ones in start order, or the one dynamic child.
    pub(crate) fn waiting_for(&self, turn: Turn) -> Vec<Arc<str>> {
        let waits = |id: &&Arc<str>| match self.by_id.get(*id).map(|child| &child.phase) {
            Some(Phase::Waiting { turn: its }) => *its == turn,
            _ => false,
        };
        let fixed: Vec<_> = self.order.iter().filter(waits).cloned().collect();
        if fixed.is_empty() { self.by_id.keys().find(waits).cloned().into_iter().collect() } else { fixed }
    }

    pub(crate) fn nodes(&self, shown: usize) -> Vec<Node> {
        self.seat.children(shown).iter().map(|seat| Node::of(seat, shown)).collect()
    }
}

impl Child {
    fn new(seat: &Arc<Seat>) -> Self {
        Self { seat: Arc::clone(seat), retries: Retries::default(), phase: Phase::Down }
    }
}

/// Starts the actor of one seat, and puts it there.
async fn launch(seat: &Arc<Seat>, tree: &Tree, parent: ActorCell) -> Result<ActorId, StartFailed> {
    let within = seat.spec.start_within;
    let start = (seat.spec.launch)(Berth::new(seat, tree, parent));
    let started = time::timeout_at(deadline_in(within), start).await;
    let occupant = started
        .unwrap_or_else(|_| Err(format!("it did not start within {within:?}").into()))
        .map_err(|cause| StartFailed::at(&seat.path, cause))?;
    let who = occupant.cell.get_id();
    seat.occupy(occupant);
    Ok(who)
}

/// The places below a supervisor's own.
pub(crate) fn below(seat: &Seat) -> &Below {
    seat.below.as_ref().expect("only a supervisor's seat is given to a supervisor")
}
