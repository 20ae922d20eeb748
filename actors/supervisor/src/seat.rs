//! A child's place in the tree. It outlives its occupants, and it is what snapshots
//! read: so all that is public about a child is here, behind locks that are held for
//! a few instructions and never across an await.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ractor::ActorCell;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::child_spec::ChildSpec;
use crate::meter::Meter;
use crate::snapshot::Failure;
use crate::supervisor_spec::SupervisorSpec;

/// Where a child is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In its `pre_start`, for the first time.
    Starting,
    /// It takes messages.
    Running,
    /// It ended, and waits for its next start or is in it.
    Restarting,
    /// It drains, and takes no more messages.
    Stopping,
    /// It is not there, and is not coming back by itself.
    #[default]
    Stopped,
}

/// A child's place.
pub(crate) struct Seat {
    pub(crate) path: Arc<str>,
    pub(crate) spec: Arc<ChildSpec>,
    pub(crate) meter: Meter,
    /// For supervisors: the places below.
    pub(crate) below: Option<Box<Below>>,
    life: Mutex<Life>,
}

/// The places below a supervisor.
pub(crate) struct Below {
    pub(crate) spec: Arc<SupervisorSpec>,
    /// In start order.
    pub(crate) fixed: Vec<Arc<Seat>>,
    dynamic: Mutex<BTreeMap<Arc<str>, Arc<Seat>>>,
}

/// The actor in a seat.
pub(crate) struct Occupant {
    pub(crate) cell: ActorCell,
    /// ractor reports an end before it drops what the actor held; only the end of
    /// its task says that files and ports are free again.
    pub(crate) task: Option<JoinHandle<()>>,
}

#[derive(Clone, Default)]
pub(crate) struct History {
    pub(crate) state: State,
    pub(crate) restarts: u32,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) last_failure: Option<Box<Failure>>,
}

#[derive(Default)]
pub(crate) struct Life {
    history: History,
    pub(crate) occupant: Option<Occupant>,
}

// === impl Seat ===

impl Seat {
    /// A place for `spec` below `above`, and all places below it.
    pub(crate) fn new(spec: Arc<ChildSpec>, above: Option<&str>) -> Arc<Self> {
        let path: Arc<str> = match above {
            Some(above) => format!("{above}/{}", spec.id).into(),
            None => Arc::clone(&spec.id),
        };
        let below = spec.below.as_ref().map(|supervisor| {
            Box::new(Below {
                spec: Arc::clone(supervisor),
                fixed: supervisor
                    .children
                    .iter()
                    .map(|child| Self::new(Arc::clone(child), Some(&path)))
                    .collect(),
                dynamic: Mutex::default(),
            })
        });
        let meter = if spec.numerous { Meter::small() } else { Meter::new() };
        Arc::new(Self { path, spec, meter, below, life: Mutex::default() })
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.spec.id
    }

    pub(crate) fn cell(&self) -> Option<ActorCell> {
        self.life().occupant.as_ref().map(|occupant| occupant.cell.clone())
    }

    pub(crate) fn history(&self) -> History {
        self.life().history.clone()
    }

    pub(crate) fn set(&self, state: State) {
        self.life().history.state = state;
    }

    /// Someone is about to be here, for the first time or again.
    pub(crate) fn begin(&self) {
        let history = &mut self.life().history;
        if history.state != State::Restarting {
            history.state = State::Starting;
        }
    }

    /// Someone is here.
    pub(crate) fn occupy(&self, occupant: Occupant) {
        let mut life = self.life();
        life.occupant = Some(occupant);
        life.history.state = State::Running;
        if life.history.started_at.replace(Timestamp::now()).is_some() {
            life.history.restarts += 1;
        }
    }

    pub(crate) fn failed(&self, text: &str) {
        self.life().history.last_failure =
            Some(Box::new(Failure { time: Timestamp::now(), text: text.to_owned() }));
    }

    /// Nobody is here any more, and nobody can be reached here.
    pub(crate) fn vacate(&self, state: State) {
        self.spec.slot.vacate();
        let mut life = self.life();
        life.history.state = state;
        // The last reference to the actor may own its queue: drop it unlocked.
        let occupant = life.occupant.take();
        drop(life);
        drop(occupant);
    }

    /// All seats below, parents before children.
    pub(crate) fn family(&self) -> Vec<Arc<Self>> {
        let mut family = self.children(usize::MAX);
        let mut next = 0;
        while let Some(seat) = family.get(next) {
            family.extend(seat.children(usize::MAX));
            next += 1;
        }
        family
    }

    /// The seats right below: the fixed ones in start order, then the dynamic ones by
    /// id, at most `max`.
    pub(crate) fn children(&self, max: usize) -> Vec<Arc<Self>> {
        let Some(below) = &self.below else { return Vec::new() };
        below.fixed.iter().chain(below.dynamic().values()).take(max).cloned().collect()
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Below ===

impl Below {
    /// How many children there are, fixed and dynamic.
    pub(crate) fn count(&self) -> usize {
        self.fixed.len() + self.dynamic().len()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Seat>> {
        let fixed = self.fixed.iter().find(|seat| &**seat.id() == id);
        fixed.cloned().or_else(|| self.dynamic().get(id).cloned())
    }

    pub(crate) fn add(&self, seat: &Arc<Seat>) {
        self.dynamic().insert(Arc::clone(seat.id()), Arc::clone(seat));
    }

    pub(crate) fn remove(&self, id: &str) {
        // What a seat owns may look at the tree when it is dropped: drop it unlocked.
        let seat = self.dynamic().remove(id);
        drop(seat);
    }

    pub(crate) fn remove_all(&self) {
        let seats = mem::take(&mut *self.dynamic());
        drop(seats);
    }

    fn dynamic(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Seat>>> {
        self.dynamic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Occupant ===

impl Occupant {
    pub(crate) fn new(cell: ActorCell, task: JoinHandle<()>) -> Self {
        Self { cell, task: Some(task) }
    }
}
