//! `/mcp`: Streamable HTTP, for clients of both eras.
//!
//! A modern request says everything itself; its answer is the response, and the response's end is its end. A legacy
//! client opens a session with `initialize` and names it in every request; its calls go on without a connection.

use std::sync::Arc;
use std::time::Instant;

use ::mcp::{Client, Heard, Out, RpcError};
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::jsonrpc::{self, Message, Rejected, Request};
use protocol::mcp::{Meta, Revision};
use protocol::{Caller, Cancel, Code, Credentials, Error, Id, Way};
use serde::Deserialize;

use super::Visitor;
use super::exchange::{Exchange, Kept};
use super::headers;
use super::sessions::Session;
use super::stream::{Manner, Reader, read_event_id};
use crate::Shared;

/// The session that a legacy request belongs to.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Where a client whose stream ended was.
const LAST_EVENT: &str = "last-event-id";

/// Refuses: `status`, and the error as JSON-RPC has it, under the id where that is known.
fn refuse(status: StatusCode, id: Option<&Id>, error: &RpcError) -> Response {
    let id = id.map(|id| format!("\"id\":{},", serde_json::json!(id))).unwrap_or_default();
    let body = format!("{{\"jsonrpc\":\"2.0\",{id}\"error\":{}}}", error.text());
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn refuse_as(error: &RpcError, id: Option<&Id>) -> Response {
    refuse(StatusCode::from_u16(error.status).unwrap_or(StatusCode::OK), id, error)
}

/// Who is there, or the response that says why not.
async fn caller(shared: &Shared, visitor: &Visitor, headers: &HeaderMap) -> Result<Arc<Caller>, Response> {
    if let Err(turned_away) = shared.hosts.check(headers) {
        let error = RpcError::invalid_request(turned_away.to_string());
        return Err(refuse(StatusCode::FORBIDDEN, None, &error));
    }
    let who = visitor.credentials(headers, Way::Http);
    let known = matches!(who, Credentials::Token(..));
    shared.dispatch.identify(who).await.map_err(|error| unknown_caller(&error, known))
}

fn unknown_caller(error: &Error, token: bool) -> Response {
    let mut response = refuse_as(&RpcError::of(error), None);
    if error.code == Code::Authentication {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = if token {
            "Bearer realm=\"llmbasedos\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"llmbasedos\""
        };
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// Whether the client takes what we answer with.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let mut listed = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    listed.peek().is_none()
        || listed.flat_map(|list| list.split(',')).any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            let family = kind.split('/').next().unwrap_or_default();
            range.eq_ignore_ascii_case(kind)
                || range == "*/*"
                || range.eq_ignore_ascii_case(&format!("{family}/*"))
        })
}

/// What a request says of its era, before it is known which it is.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(rename = "_meta", default)]
    meta: Option<Meta>,
}

/// `POST /mcp`.
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Response {
    let caller = match caller(&shared, &visitor, &headers).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    if let Some(refusal) = unacceptable(&headers) {
        return refusal;
    }
    let body = match read(&shared, &headers, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match jsonrpc::parse(&body, shared.limits.batch) {
        Message::Single(Ok(request)) => single(&shared, &headers, caller, request).await,
        Message::Single(Err(rejected)) => answer_to_us(&shared, &headers, &caller, &body, &rejected),
        Message::Batch(_) => {
            let error = RpcError::invalid_request(
                "Batches are not part of this transport; send one message a request.",
            );
            refuse_as(&error, None)
        }
    }
}

fn unacceptable(headers: &HeaderMap) -> Option<Response> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let error = RpcError::invalid_request("Content-Type must be application/json.");
        return Some(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, &error));
    }
    if !accepts(headers, "application/json") && !accepts(headers, "text/event-stream") {
        let error = RpcError::invalid_request("Accept must list application/json and text/event-stream.");
        return Some(refuse(StatusCode::NOT_ACCEPTABLE, None, &error));
    }
    None
}

/// The body, if it is not too long and does not take too long.
async fn read(shared: &Shared, headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Response> {
    let limit = shared.limits.frame_bytes;
    let too_long = || {
        let error =
            RpcError::invalid_request(format!("Message longer than {limit} bytes (limits.frame_bytes)."));
        refuse(StatusCode::PAYLOAD_TOO_LARGE, None, &error)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_long());
    }
    match tokio::time::timeout(shared.limits.call, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_long()),
        Err(_) => {
            let error = RpcError::invalid_request("The body did not arrive in time.");
            Err(refuse(StatusCode::REQUEST_TIMEOUT, None, &error))
        }
    }
}

/// A request or a notification.
async fn single(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    caller: Arc<Caller>,
    request: Request,
) -> Response {
    if request.id == Some(Id::Null) {
        return refuse_as(&RpcError::invalid_request("id must be a string or an integer, not null."), None);
    }
    let raw = request.params.as_ref().map_or("{}", |params| params.get());
    let envelope: Envelope = match serde_json::from_str(raw) {
        Ok(envelope) => envelope,
        Err(error) => return refuse_as(&RpcError::bad_meta(error), request.id.as_ref()),
    };
    let meta = envelope.meta.unwrap_or_default();
    let says = headers.get(headers::VERSION).and_then(|value| value.to_str().ok()).map(str::trim);
    let modern = meta.protocol_version.is_some()
        || says.and_then(Revision::parse).is_some_and(Revision::is_modern)
        || &*request.method == "server/discover";
    if modern {
        modern_request(shared, headers, caller, request, meta).await
    } else {
        legacy_request(shared, headers, caller, request, meta).await
    }
}

async fn modern_request(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    caller: Arc<Caller>,
    request: Request,
    meta: Meta,
) -> Response {
    let Some(id) = request.id.clone() else { return StatusCode::ACCEPTED.into_response() };
    // What is wrong with the body is told first: a client that does not know the metadata knows no headers.
    if let Some(version) = meta.protocol_version.as_deref().filter(|_| meta.capabilities.is_some())
        && let Err(error) = headers::check(headers, &request, version, || shared.dispatch.tools(&caller))
    {
        return refuse_as(&error, Some(&id));
    }
    let (cancel, deadline) = (Cancel::new(), Instant::now() + shared.limits.call);
    let exchange = Exchange::new(0, id, cancel.clone(), deadline, Kept::None, shared.limits.send_buffer);
    let reader = Reader::new(Arc::clone(&exchange), 1, Manner::Modern);
    shared.mcp.take_modern(&caller, &request, meta, Out::new(exchange, 0, cancel, deadline));
    challenged(reader.response().await)
}

/// A token that does not cover what was asked for is told so in the header too.
fn challenged(mut response: Response) -> Response {
    if response.status() == StatusCode::FORBIDDEN {
        let challenge = "Bearer realm=\"llmbasedos\", error=\"insufficient_scope\"";
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

async fn legacy_request(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    caller: Arc<Caller>,
    request: Request,
    meta: Meta,
) -> Response {
    if let Err(error) = known_version(headers) {
        return refuse_as(&error, request.id.as_ref());
    }
    if &*request.method == "initialize" && request.id.is_some() {
        return initialize(shared, caller, request, meta).await;
    }
    let session = match session(shared, headers, &caller) {
        Ok(session) => session,
        Err(error) => return refuse_as(&error, None),
    };
    let Some(id) = request.id.clone() else {
        if let Heard::Cancel(id) = shared.mcp.hear(&session.client, &request) {
            session.cancel(&id);
        }
        return StatusCode::ACCEPTED.into_response();
    };
    let (cancel, deadline) = (Cancel::new(), Instant::now() + shared.limits.call);
    let (in_flight, buffer) = (shared.limits.in_flight, shared.limits.send_buffer);
    let Some(exchange) = session.exchange(id.clone(), cancel.clone(), deadline, in_flight, buffer) else {
        let error = RpcError::invalid_request(format!(
            "{in_flight} calls of this session are under way; wait for some."
        ));
        return refuse(StatusCode::TOO_MANY_REQUESTS, Some(&id), &error);
    };
    let reader = Reader::new(Arc::clone(&exchange), 1, manner(shared, &session));
    let out = Out::new(Arc::clone(&exchange) as _, 0, cancel, deadline);
    shared.mcp.take_legacy(&session.client, &request, meta, out);
    let response = reader.response().await;
    if response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
        session.delivered(&exchange);
    }
    challenged(response)
}

/// Only clients of the last legacy revision know how to come back to a stream that was closed.
fn manner(shared: &Shared, session: &Session) -> Manner {
    let comes_back = session.client.revision().is_some_and(|revision| revision >= Revision::V2025_11_25);
    Manner::Legacy { hold: comes_back.then_some(shared.limits.stream) }
}

/// Opens a session; the response names it.
async fn initialize(shared: &Arc<Shared>, caller: Arc<Caller>, request: Request, meta: Meta) -> Response {
    let client = Arc::new(Client::new(caller));
    let (cancel, deadline) = (Cancel::new(), Instant::now() + shared.limits.call);
    let id = request.id.clone().unwrap_or(Id::Null);
    let exchange =
        Exchange::new(0, id.clone(), cancel.clone(), deadline, Kept::None, shared.limits.send_buffer);
    let reader = Reader::new(Arc::clone(&exchange), 1, Manner::Modern);
    shared.mcp.take_legacy(&client, &request, meta, Out::new(exchange, 0, cancel, deadline));
    let mut response = reader.response().await;
    if client.revision().is_some() {
        let Ok(session) = shared.mcp_sessions.open(client, shared.limits.send_buffer) else {
            let error = "As many sessions are open as mcp.sessions allows. Try again later.";
            return refuse(StatusCode::SERVICE_UNAVAILABLE, Some(&id), &RpcError::invalid_request(error));
        };
        let value = HeaderValue::from_str(&session.id).expect("an id is hexadecimal");
        response.headers_mut().insert(SESSION, value);
    }
    response
}

/// A version header that names nothing we speak is refused; an absent one is fine.
fn known_version(headers: &HeaderMap) -> Result<(), RpcError> {
    match headers.get(headers::VERSION).map(|value| value.to_str().unwrap_or_default().trim()) {
        Some(version) if Revision::parse(version).is_none() => Err(RpcError::unsupported_version(version)),
        _ => Ok(()),
    }
}

fn session(shared: &Shared, headers: &HeaderMap, caller: &Caller) -> Result<Arc<Session>, RpcError> {
    let Some(id) = headers.get(SESSION).map(|value| value.to_str().unwrap_or_default()) else {
        return Err(RpcError::invalid_request("The header Mcp-Session-Id is missing; initialize gives it."));
    };
    let unknown = || RpcError::invalid_request("No such session; initialize a new one.");
    shared.mcp_sessions.get(id, caller).ok_or_else(|| RpcError { status: 404, ..unknown() })
}

/// What is no request may be the answer to one of ours.
fn answer_to_us(
    shared: &Shared,
    headers: &HeaderMap,
    caller: &Caller,
    body: &[u8],
    rejected: &Rejected,
) -> Response {
    if let Some(response) = jsonrpc::parse_response(body) {
        return match session(shared, headers, caller) {
            Ok(session) => {
                session.client.answered(response);
                StatusCode::ACCEPTED.into_response()
            }
            Err(error) => refuse_as(&error, None),
        };
    }
    let id = Some(&rejected.id).filter(|id| **id != Id::Null);
    let message = rejected.error.message.clone();
    let error = match rejected.error.code {
        Code::Parse => RpcError::parse(message),
        Code::InvalidParams => RpcError::bad_meta(message),
        _ => RpcError::invalid_request(message),
    };
    refuse_as(&error, id)
}

/// The session of a request that is no POST, or the response that says why there is none.
async fn session_of(
    shared: &Shared,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Result<Arc<Session>, Response> {
    let caller = caller(shared, visitor, headers).await?;
    if !headers.contains_key(SESSION) {
        return Err(not_allowed());
    }
    known_version(headers)
        .and_then(|()| session(shared, headers, &caller))
        .map_err(|error| refuse_as(&error, None))
}

/// `GET /mcp`: a session's own stream, or one that ended and goes on.
pub(super) async fn get(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let session = match session_of(&shared, &visitor, &headers).await {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    if !accepts(&headers, "text/event-stream") {
        let error = RpcError::invalid_request("Accept must list text/event-stream.");
        return refuse(StatusCode::NOT_ACCEPTABLE, None, &error);
    }
    let Some(last) = headers.get(LAST_EVENT).map(|value| value.to_str().unwrap_or_default()) else {
        let standing = Arc::clone(&session.standing);
        let next = standing.unsent();
        return Reader::new(standing, next, Manner::Legacy { hold: None }).stream();
    };
    let found = read_event_id(last).and_then(|(stream, number)| Some((session.stream(stream)?, number)));
    // Nobody can have seen what was not sent.
    let found = found.filter(|(exchange, number)| *number <= exchange.unsent());
    let Some((exchange, number)) = found else {
        let error = "Last-Event-ID names no stream of this session that is still kept.";
        return refuse_as(&RpcError::invalid_request(error), None);
    };
    let manner = if exchange.number == 0 { Manner::Legacy { hold: None } } else { manner(&shared, &session) };
    Reader::new(exchange, number + 1, manner).stream()
}

/// `DELETE /mcp`: ends a session.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    match session_of(&shared, &visitor, &headers).await {
        Ok(session) => {
            shared.mcp_sessions.close(&session);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => refusal,
    }
}

fn not_allowed() -> Response {
    let error = RpcError::invalid_request("Only POST is of use without a session.");
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, None, &error);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}
