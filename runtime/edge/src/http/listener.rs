//! Accepts HTTP, at whatever kind of door: one actor per door, one task per connection.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::http::HeaderMap;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use protocol::{Cancel, Cause, Credentials, Way};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::OwnedSemaphorePermit;

use super::in_place::InPlace;
use crate::doors::{TcpDoor, UnixDoor};
use crate::knock;
use crate::{Edges, Shared};

/// When the process is out of files, accepting again at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Request line and headers together.
const HEAD_MAX: usize = 16 * 1024;

/// Accepts at one door.
pub(crate) struct Listener<D>(std::marker::PhantomData<fn(D)>);

/// A door that HTTP comes in at.
pub(crate) trait Door: Send + Sync + 'static {
    /// What accepts.
    type Socket: Socket;

    /// Listens, again after each restart of the actor.
    fn open(&self) -> io::Result<Self::Socket>;
}

/// A socket that accepts.
pub(crate) trait Socket: Send + Sync + 'static {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection, and who is at its other end.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;

    /// Says something to a connection that is not served, as far as the kernel's buffer takes it.
    fn say(stream: Self::Stream, text: &[u8]) -> io::Result<()>;
}

/// Who is at the other end, as far as the kernel says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Uid(u32),
}

/// The connections of a listener, which finish what they are at when it stops.
pub(crate) struct Visits {
    tasks: Arc<Tasks>,
    stopping: Cancel,
    shared: Arc<Shared>,
}

/// One connection, until it becomes a session: its place, taken along when it is upgraded.
#[derive(Clone)]
pub(super) struct Visitor {
    peer: Peer,
    place: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

// === impl Listener ===

impl<D> Listener<D> {
    pub(crate) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<D: Door> Actor for Listener<D> {
    type Msg = ();
    type State = Visits;
    type Arguments = (Edges, Arc<D>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (edges, door, tasks): Self::Arguments,
    ) -> Result<Visits, ActorProcessingErr> {
        let socket = door.open()?;
        let shared = edges.shared;
        let visits = Visits { tasks: Arc::new(tasks), stopping: Cancel::new(), shared: Arc::clone(&shared) };
        let (stopping, tasks) = (visits.stopping.clone(), Arc::downgrade(&visits.tasks));
        visits.tasks.spawn(async move {
            let router = super::routes(&shared);
            loop {
                let accepted = tokio::select! {
                    accepted = socket.accept() => accepted,
                    _ = stopping.cancelled() => return,
                };
                let (stream, peer) = match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    }
                };
                let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
                    tracing::warn!(?peer, "connection refused: limits.connections are open");
                    // Not waited for: whoever is still outside must not hold up those behind.
                    let _ = D::Socket::say(stream, no_place(shared.limits.connections).as_bytes());
                    continue;
                };
                let visitor = Visitor { peer, place: Arc::new(Mutex::new(Some(place))) };
                let serving =
                    serve(stream, router.clone(), visitor, shared.limits.handshake, stopping.clone());
                if let Some(tasks) = tasks.upgrade() {
                    tasks.spawn(serving);
                }
            }
        });
        Ok(visits)
    }

    async fn post_stop(&self, _: ActorRef<()>, visits: &mut Visits) -> Result<(), ActorProcessingErr> {
        visits.stopping.cancel(Cause::Shutdown);
        visits.shared.mcp_sessions.end_streams();
        visits.tasks.join_all(visits.shared.limits.drain).await;
        Ok(())
    }
}

fn no_place(connections: usize) -> String {
    let text = knock::full(connections).message;
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{text}\n",
        text.len() + 1,
    )
}

/// Serves HTTP on one connection until it ends or becomes a WebSocket.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    visitor: Visitor,
    handshake: Duration,
    stopping: Cancel,
) {
    let service = TowerToHyperService::new(router.layer(Extension(visitor)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(handshake)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = InPlace::new(connection.as_mut()) => ended,
        _ = stopping.cancelled() => {
            // What was asked is answered, and nothing more is read.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

// === impl Visitor ===

impl Visitor {
    /// What it shows: a token, or what the kernel says of it.
    pub(super) fn credentials(&self, headers: &HeaderMap, way: Way) -> Credentials {
        match (knock::token(headers), self.peer) {
            (Some(token), _) => Credentials::Token(token, way),
            (None, Peer::Uid(uid)) => Credentials::Uid(uid),
            (None, Peer::Tcp(address)) => {
                Credentials::Anonymous { loopback: address.ip().is_loopback(), way }
            }
        }
    }

    /// Its place, for the session that it becomes; `None` when it has become one already.
    pub(super) fn take_place(&self) -> Option<OwnedSemaphorePermit> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

// === impl Door, impl Socket ===

impl Door for TcpDoor {
    type Socket = TcpListener;

    fn open(&self) -> io::Result<TcpListener> {
        self.listen()
    }
}

impl Socket for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = Self::accept(self).await?;
        // Small answers must not wait for the peer's acknowledgement of the ones before.
        let _ = stream.set_nodelay(true);
        Ok((stream, Peer::Tcp(address)))
    }

    fn say(stream: TcpStream, text: &[u8]) -> io::Result<()> {
        stream.into_std()?.write_all(text)
    }
}

impl Door for UnixDoor {
    type Socket = UnixListener;

    fn open(&self) -> io::Result<UnixListener> {
        self.listen()
    }
}

impl Socket for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = Self::accept(self).await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, Peer::Uid(uid)))
    }

    fn say(stream: UnixStream, text: &[u8]) -> io::Result<()> {
        stream.into_std()?.write_all(text)
    }
}
