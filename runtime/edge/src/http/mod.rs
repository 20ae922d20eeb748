//! HTTP, at the TCP door and at a UNIX socket: `/ws` becomes a WebSocket session, `/mcp` is Streamable HTTP, `/v1` speaks
//! as OpenAI does, `/healthz` and `/readyz` answer anybody.

mod listener;

mod exchange;
mod headers;
mod in_place;
mod mcp;
mod openai;
mod sessions;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use protocol::{Code, Error, Way};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::Shared;
use crate::knock;
use crate::session;
use crate::ws::{READ_BUFFER, WRITE_BUFFER, WsWire};

pub(crate) use self::listener::Listener;
use self::listener::Visitor;
pub(crate) use self::sessions::Sessions;

/// What is answered at every HTTP door.
fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/ws", get(upgrade))
        .route("/mcp", get(mcp::get).post(mcp::post).delete(mcp::delete).layer(cross_origin(shared)))
        .nest("/v1", openai_routes().layer(cross_origin(shared)))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(shared))
}

fn openai_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/chat/completions", post(openai::chat))
        .route("/embeddings", post(openai::embeddings))
        .route("/models", get(openai::models))
        // Aliases may have slashes.
        .route("/models/{*name}", get(openai::model))
}

/// What browsers are told of `/mcp` and `/v1`: pages that may connect may read what they get.
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
    let Some(place) = visitor.take_place() else {
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
