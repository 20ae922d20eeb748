//! Transports: bytes in, actor messages on, answers out.
//!
//! A *door* is a socket that was bound once, at the start; a listener actor accepts at it, and one session actor
//! per connection turns frames into requests for the [`protocol::Dispatch`] and answers into frames. Sessions
//! know nothing of methods, tiers or services; the dispatch knows nothing of frames.

mod doors;
mod http;
mod knock;
mod session;
mod unix;
mod ws;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Dispatch;
use supervisor::{ChildSpec, Slot, SupervisorHandle, SupervisorSpec};
use tokio::sync::Semaphore;

pub use doors::{DoorError, RunDir, TcpDoor, UnixDoor, prepare_run_dir};
pub use knock::HostRules;

/// The bounds of a connection.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at one time, over all doors.
    pub connections: usize,
    /// Calls under way on one connection; beyond it the connection is not read.
    pub in_flight: usize,
    /// The longest message read, in bytes.
    pub frame_bytes: usize,
    /// Requests in a batch.
    pub batch: usize,
    /// How long a call may take.
    pub call: Duration,
    /// How long a connection may be silent; `None` for ever.
    pub idle: Option<Duration>,
    /// Bytes of answers that may wait for a slow reader.
    pub send_buffer: usize,
    /// The longest result, in bytes of JSON.
    pub result: usize,
    /// How long a connection has to say who it is.
    pub handshake: Duration,
    /// How often a silent WebSocket is pinged.
    pub ping: Duration,
    /// How long calls under way may finish when the session is told to stop.
    pub drain: Duration,
    /// How long a legacy stream of `/mcp` stays open without an answer.
    pub stream: Duration,
    /// Legacy sessions of `/mcp` at one time.
    pub sessions: usize,
}

/// What all edges share.
#[derive(Clone)]
pub struct Edges {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) mcp: Arc<mcp::Server>,
    pub(crate) mcp_sessions: http::Sessions,
    pub(crate) limits: Limits,
    pub(crate) hosts: HostRules,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) sessions: SupervisorHandle,
    ready: AtomicBool,
}

/// Makes the supervisor of all edges. Sessions are its first child and its last to stop, so that doors close
/// before the calls behind them are drained.
pub fn supervisor(
    dispatch: Arc<dyn Dispatch>,
    mcp: Arc<mcp::Server>,
    limits: Limits,
    hosts: HostRules,
    tcp: Option<TcpDoor>,
    unix: Vec<UnixDoor>,
) -> (SupervisorSpec, Edges) {
    let sessions = SupervisorSpec::new("sessions").dynamic(limits.connections);
    let edges = Edges {
        shared: Arc::new(Shared {
            dispatch,
            mcp,
            mcp_sessions: http::Sessions::new(limits.sessions),
            hosts,
            places: Arc::new(Semaphore::new(limits.connections)),
            limits,
            sessions: sessions.handle(),
            ready: AtomicBool::new(false),
        }),
    };
    let mut spec = SupervisorSpec::new("edges")
        .intensity(5, Duration::from_mins(1))
        .child(ChildSpec::supervisor(sessions));
    if let Some(door) = tcp {
        let (slot, edges) = (Slot::vacant(), edges.clone());
        let door = Arc::new(door);
        spec = spec.child(ChildSpec::worker("http", &slot, move |context| {
            (http::Listener, (edges.clone(), Arc::clone(&door), context.tasks()))
        }));
    }
    for door in unix {
        let (slot, edges) = (Slot::vacant(), edges.clone());
        let id = format!("unix-{}", door.name());
        let door = Arc::new(door);
        spec = spec.child(ChildSpec::worker(id, &slot, move |context| {
            (unix::Listener, (edges.clone(), Arc::clone(&door), context.tasks()))
        }));
    }
    (spec, edges)
}

impl Edges {
    /// Whether `/readyz` says so: once everything has started, until draining begins.
    pub fn set_ready(&self, ready: bool) {
        self.shared.ready.store(ready, Ordering::Relaxed);
    }

    /// Connections at this moment.
    pub fn connections(&self) -> usize {
        self.shared.limits.connections - self.shared.places.available_permits()
    }
}

impl Shared {
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}
