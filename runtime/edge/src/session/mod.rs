//! One connection: an actor with a task that moves frames.
//!
//! `line` is the connection as the rest of the process sees it: which calls are open, what is to be sent.
//! `pump` moves bytes between it and a `wire` (a WebSocket, a UNIX socket). The actor itself only starts the
//! pump, and ends with it or before it.

mod line;
mod pump;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::Caller;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot, Tasks};
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use self::line::Line;
pub(crate) use self::wire::{Received, Wire};
use crate::Shared;

/// The actor of one connection.
struct Session<W>(std::marker::PhantomData<fn(W)>);

struct Arguments<W> {
    shared: Arc<Shared>,
    caller: Arc<Caller>,
    wire: W,
    place: OwnedSemaphorePermit,
    tasks: Tasks,
}

struct State {
    line: Arc<Line>,
    tasks: Tasks,
    drain: Duration,
}

/// The pump has ended.
struct Ended;

/// How long a session may take, once its calls are finished or given up, before it counts as stuck.
pub(crate) const HANG_UP: Duration = Duration::from_secs(1);

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Starts a session for a connection that was let in. `place` is its place among the connections allowed.
pub(crate) async fn start<W: Wire>(
    shared: &Arc<Shared>,
    kind: &str,
    caller: Arc<Caller>,
    wire: W,
    place: OwnedSemaphorePermit,
) {
    let id = format!("{kind}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let (sessions, shared) = (&shared.sessions, Arc::clone(shared));
    let shutdown = shared.limits.drain + HANG_UP;
    let spec = ChildSpec::once(id, &Slot::vacant(), move |context| {
        let arguments = Arguments { shared, caller, wire, place, tasks: context.tasks() };
        (Session(std::marker::PhantomData), arguments)
    });
    if let Err(error) = sessions.start_child(spec.shutdown(shutdown).numerous()).await {
        // The connection is dropped with the spec, which closes it.
        tracing::warn!(%error, "connection refused");
    }
}

impl<W: Wire> Actor for Session<W> {
    type Msg = Ended;
    type State = State;
    type Arguments = Arguments<W>;

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        arguments: Arguments<W>,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { shared, caller, wire, place, tasks } = arguments;
        let line = Line::new(&shared.limits);
        let drain = shared.limits.drain;
        // Boxed, because a future holds what it is given more than once.
        let pump = Box::new(pump::Pump::new(wire, Arc::clone(&line), caller, shared));
        tasks.spawn(async move {
            pump.run().await;
            drop(place);
            let _ = myself.cast(Ended);
        });
        Ok(State { line, tasks, drain })
    }

    async fn handle(
        &self,
        myself: ActorRef<Ended>,
        _: Ended,
        _: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        myself.stop(None);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Ended>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.line.stop();
        state.tasks.join_all(state.drain).await;
        Ok(())
    }
}
