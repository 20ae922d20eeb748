//! How a child comes to life: made, started under its supervisor, put into its slot.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorProcessingErr, SpawnErr};

use crate::meter::Meter;
use crate::seat::{Occupant, Seat};
use crate::slot::Slot;
use crate::tasks::{Tasks, panic_text};
use crate::tree::Tree;
use crate::worker::Metered;

/// What a child is told about its place when it is made.
#[derive(Clone, Debug)]
pub struct ChildContext {
    /// Its name among its siblings: `fs`.
    pub id: Arc<str>,
    /// Its place in the tree: `root/services/fs`.
    pub path: Arc<str>,
    /// Its counters, for work that outlasts a message.
    pub meter: Meter,
    /// The tree it belongs to.
    pub tree: Tree,
}

/// A tree, or a child of it, that could not be started; what had been started
/// before it was stopped again.
#[derive(Debug, thiserror::Error)]
#[error("start {path}")]
pub struct StartFailed {
    /// Which child it was.
    pub path: Arc<str>,
    /// What it died of.
    #[source]
    pub cause: Box<dyn Error + Send + Sync>,
}

/// Starts one child, once per call.
pub(crate) type Launch =
    Box<dyn Fn(Berth) -> BoxFuture<'static, Result<Occupant, ActorProcessingErr>> + Send + Sync>;

/// The place a child is started in.
pub(crate) struct Berth {
    pub(crate) context: ChildContext,
    pub(crate) seat: Arc<Seat>,
    pub(crate) parent: ActorCell,
}

/// Makes an actor, starts it under its supervisor, and puts it into its slot.
pub(crate) fn launch<A: Actor>(
    slot: &Slot<A::Msg>,
    berth: Berth,
    make: impl FnOnce(&ChildContext) -> Result<(A, A::Arguments), ActorProcessingErr>,
) -> BoxFuture<'static, Result<Occupant, ActorProcessingErr>> {
    let slot = slot.clone();
    let Berth { context, parent, .. } = berth;
    // This runs inside the supervisor, which a child's constructor must not take down.
    let parts = catch_unwind(AssertUnwindSafe(|| make(&context)))
        .unwrap_or_else(|panic| Err(panic_text(panic.as_ref()).into()));
    Box::pin(async move {
        let (actor, arguments) = parts?;
        let metered = Metered { actor, meter: context.meter.clone() };
        let (actor, task) =
            Actor::spawn_linked(None, metered, arguments, parent).await.map_err(|error| match error {
                SpawnErr::StartupFailed(cause) => cause,
                other => other.into(),
            })?;
        let occupant = Occupant::new(actor.get_cell(), task);
        slot.fill(actor, context.meter);
        Ok(occupant)
    })
}

// === impl Berth ===

impl Berth {
    pub(crate) fn new(seat: &Arc<Seat>, tree: &Tree, parent: ActorCell) -> Self {
        let context = ChildContext {
            id: Arc::clone(seat.id()),
            path: Arc::clone(&seat.path),
            meter: seat.meter.clone(),
            tree: tree.clone(),
        };
        Self { context, seat: Arc::clone(seat), parent }
    }
}

// === impl ChildContext ===

impl ChildContext {
    /// A home for the child's tasks: they end when it is dropped, so keep it in the
    /// actor's state.
    pub fn tasks(&self) -> Tasks {
        Tasks::of(self)
    }
}

// === impl StartFailed ===

impl StartFailed {
    /// The child at `path` did not start. If that is because one below it did not,
    /// then that one is named.
    pub(crate) fn at(path: &Arc<str>, cause: ActorProcessingErr) -> Self {
        cause.downcast::<Self>().map_or_else(|cause| Self { path: Arc::clone(path), cause }, |deeper| *deeper)
    }
}
