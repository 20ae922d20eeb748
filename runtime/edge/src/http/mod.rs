//! HTTP: the TCP door, and a UNIX socket for those on this machine. `/ws` becomes a WebSocket session, `/mcp` is Streamable HTTP; `/healthz` and `/readyz` answer
//! anybody.

mod exchange;
mod headers;
mod mcp;
mod sessions;
mod stream;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use protocol::{Cancel, Cause, Code, Credentials, Error, Way};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::doors::{TcpDoor, UnixDoor};
use crate::knock;
use crate::session;
use crate::ws::{READ_BUFFER, WRITE_BUFFER, WsWire};
use crate::{Edges, Shared};

pub(crate) use self::sessions::Sessions;

/// When the process is out of files, accepting again at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Request line and headers together.
const HEAD_MAX: usize = 16 * 1024;

/// Accepts at the TCP door.
pub(crate) struct Listener;

/// Accepts HTTP at a UNIX door.
pub(crate) struct UnixListener;

/// The connections of a listener, which finish what they are at when it stops.
pub(crate) struct Visits {
    tasks: Arc<Tasks>,
    stopping: Cancel,
    shared: Arc<Shared>,
}

impl Visits {
    fn new(tasks: Tasks, shared: &Arc<Shared>) -> Self {
        Self { tasks: Arc::new(tasks), stopping: Cancel::new(), shared: Arc::clone(shared) }
    }

    async fn end(&self) {
        self.stopping.cancel(Cause::Shutdown);
        self.shared.mcp_sessions.end_streams();
        self.tasks.join_all(self.shared.limits.drain).await;
    }
}

/// One connection, until it becomes a session: its place, taken along when it is upgraded.
#[derive(Clone)]
struct Visitor {
    peer: Peer,
    place: Arc<std::sync::Mutex<Option<OwnedSemaphorePermit>>>,
}

/// Who is at the other end, as far as the kernel says.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Tcp(SocketAddr),
    Uid(u32),
}

impl Visitor {
    fn new(peer: Peer, place: OwnedSemaphorePermit) -> Self {
        Self { peer, place: Arc::new(Some(place).into()) }
    }

    /// What it shows: a token, or what the kernel says of it.
    fn credentials(&self, headers: &HeaderMap, way: Way) -> Credentials {
        match (knock::token(headers), self.peer) {
            (Some(token), _) => Credentials::Token(token, way),
            (None, Peer::Uid(uid)) => Credentials::Uid(uid),
            (None, Peer::Tcp(address)) => {
                Credentials::Anonymous { loopback: address.ip().is_loopback(), way }
            }
        }
    }
}

/// What is answered at every HTTP door.
fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/ws", get(upgrade))
        .route("/mcp", get(mcp::get).post(mcp::post).delete(mcp::delete).layer(cross_origin(shared)))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(shared))
}

/// What browsers are told of `/mcp`: pages that may connect may read what they get.
fn cross_origin(shared: &Arc<Shared>) -> CorsLayer {
    let shared = Arc::clone(shared);
    let allowed = AllowOrigin::predicate(move |origin, _| {
        origin.to_str().is_ok_and(|origin| shared.hosts.knows_origin(origin))
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([mcp::SESSION, WWW_AUTHENTICATE])
        .max_age(Duration::from_hours(1))
}

impl Actor for UnixListener {
    type Msg = ();
    type State = Visits;
    type Arguments = (Edges, Arc<UnixDoor>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (edges, door, tasks): Self::Arguments,
    ) -> Result<Visits, ActorProcessingErr> {
        let listener = door.listen()?;
        let shared = edges.shared;
        let router = routes(&shared);
        let state = Visits::new(tasks, &shared);
        let (tasks, stopping) = (Arc::clone(&state.tasks), state.stopping.clone());
        let visits = Arc::downgrade(&tasks);
        tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopping.cancelled() => return,
                };
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                };
                let uid = stream.peer_cred().map(|peer| peer.uid());
                let (Ok(uid), Ok(place)) = (uid, Arc::clone(&shared.places).try_acquire_owned()) else {
                    tracing::warn!("connection refused: limits.connections are open");
                    continue;
                };
                let visitor = Visitor::new(Peer::Uid(uid), place);
                let serving =
                    serve(stream, router.clone(), visitor, shared.limits.handshake, stopping.clone());
                if let Some(visits) = visits.upgrade() {
                    visits.spawn(serving);
                }
            }
        });
        Ok(state)
    }

    async fn post_stop(&self, _: ActorRef<()>, visits: &mut Visits) -> Result<(), ActorProcessingErr> {
        visits.end().await;
        Ok(())
    }
}

impl Actor for Listener {
    type Msg = ();
    type State = Visits;
    type Arguments = (Edges, Arc<TcpDoor>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (edges, door, tasks): Self::Arguments,
    ) -> Result<Visits, ActorProcessingErr> {
        let listener = door.listen()?;
        let shared = edges.shared;
        let router = routes(&shared);
        let state = Visits::new(tasks, &shared);
        let (tasks, stopping) = (Arc::clone(&state.tasks), state.stopping.clone());
        let visits = Arc::downgrade(&tasks);
        tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopping.cancelled() => return,
                };
                match accepted {
                    Ok((stream, address)) => {
                        let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
                            tracing::warn!(%address, "connection refused: limits.connections are open");
                            refuse(stream, shared.limits.connections);
                            continue;
                        };
                        // Small answers must not wait for the peer's acknowledgement of the ones before.
                        let _ = stream.set_nodelay(true);
                        let visitor = Visitor::new(Peer::Tcp(address), place);
                        let serving =
                            serve(stream, router.clone(), visitor, shared.limits.handshake, stopping.clone());
                        if let Some(visits) = visits.upgrade() {
                            visits.spawn(serving);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                    }
                }
            }
        });
        Ok(state)
    }

    async fn post_stop(&self, _: ActorRef<()>, visits: &mut Visits) -> Result<(), ActorProcessingErr> {
        visits.end().await;
        Ok(())
    }
}

/// Says that there is no place. Not waited for: whoever is still outside must not hold up those behind.
fn refuse(stream: TcpStream, connections: usize) {
    let text = knock::full(connections).message;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{text}\n",
        text.len() + 1,
    );
    let _ = stream.into_std().and_then(|mut stream| stream.write_all(answer.as_bytes()));
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
        ended = connection.as_mut() => ended,
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

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    if let Err(turned_away) = shared.hosts.check(&headers) {
        return (StatusCode::FORBIDDEN, format!("{turned_away}\n")).into_response();
    }
    let who = visitor.credentials(&headers, Way::Ws);
    let caller = match shared.dispatch.identify(who).await {
        Ok(caller) => caller,
        Err(error) => return refusal(&error),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Some(place) = visitor.place.lock().ok().and_then(|mut place| place.take()) else {
        return (StatusCode::BAD_REQUEST, "this connection is a WebSocket already\n").into_response();
    };
    let limit = shared.limits.frame_bytes;
    upgrade
        .protocols([knock::SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(async move |socket| {
            session::start(&shared, "ws", caller, WsWire::new(socket, limit), place).await;
        })
}

fn refusal(error: &Error) -> Response {
    let text = format!("{}\n", error.message);
    match error.code {
        Code::Authentication => {
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer realm=\"llmbasedos\"")], text)
                .into_response()
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, text).into_response(),
    }
}
