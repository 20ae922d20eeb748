//! Transports: bytes in, actor messages on, answers out.
//!
//! A *door* is a socket that was bound once, at the start; a listener actor accepts at it, and one session actor
//! per connection turns frames into requests for the [`protocol::Dispatch`] and answers into frames. Sessions
//! know nothing of methods, tiers or services; the dispatch knows nothing of frames.

mod bytes_wire;
mod doors;
mod http;
mod knock;
mod session;
mod unix;
mod ws;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::{Credentials, Dispatch, Error};
use supervisor::{ChildSpec, Slot, SupervisorHandle, SupervisorSpec};
use tokio::io::{AsyncRead, AsyncWrite};
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

/// The doors of a process; none for one that is embedded in another's standard streams.
#[derive(Default)]
pub struct Doors {
    /// HTTP and WebSocket for everybody who can reach it.
    pub tcp: Option<TcpDoor>,
    /// The same for those on this machine, known by uid.
    pub http: Option<UnixDoor>,
    /// The original's sockets.
    pub unix: Vec<UnixDoor>,
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
    doors: Doors,
) -> (SupervisorSpec, Edges) {
    let shutdown = limits.drain + session::HANG_UP;
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
    if let Some(door) = doors.tcp {
        let (slot, edges) = (Slot::vacant(), edges.clone());
        let door = Arc::new(door);
        spec = spec.child(
            ChildSpec::worker("http", &slot, move |context| {
                (http::Listener::new(), (edges.clone(), Arc::clone(&door), context.tasks()))
            })
            .shutdown(shutdown),
        );
    }
    if let Some(door) = doors.http {
        let (slot, edges) = (Slot::vacant(), edges.clone());
        let door = Arc::new(door);
        spec = spec.child(
            ChildSpec::worker("unix-http", &slot, move |context| {
                (http::Listener::new(), (edges.clone(), Arc::clone(&door), context.tasks()))
            })
            .shutdown(shutdown),
        );
    }
    for door in doors.unix {
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

    /// Serves one byte stream of lines, as if it had come in at a door, until either side ends it: how a process serves its
    /// own standard streams.
    ///
    /// # Errors
    /// When the credentials are not good.
    pub async fn serve_stream(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        who: Credentials,
    ) -> Result<(), Error> {
        let shared = &self.shared;
        let caller = shared.dispatch.identify(who).await?;
        let full = |_| knock::full(shared.limits.connections);
        let place = Arc::clone(&shared.places).try_acquire_owned().map_err(full)?;
        let wire = bytes_wire::BytesWire::lines(stream, shared.limits.frame_bytes);
        session::start(shared, "stdio", caller, wire, place).await;
        Ok(())
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
