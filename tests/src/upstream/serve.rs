//! The scripted upstream's server: takes connections, writes down what is asked, and does what the script says.

use std::fmt;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answer::{Api, Ask, Framing, Wanted};
use super::play::{First, Play};
use super::stream::Steps;
use super::{End, Request, State};

/// Why a connection ends without an answer.
#[derive(Debug)]
pub(super) struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed without an answer, as the script says")
    }
}

impl std::error::Error for NoAnswer {}

/// One request under way. Dropped before it is over, it was the client who hung up, unless the upstream went down.
pub(super) struct Exchange {
    at: usize,
    state: watch::Sender<State>,
    holding: bool,
    over: bool,
}

pub(super) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, state: watch::Sender<State>) {
    let (mut connections, mut told) = (JoinSet::new(), state.subscribe());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.expect("a connection").0,
            _ = told.wait_for(|state| state.down) => break,
        };
        // Nagle's algorithm would undo the script's writes.
        let _ = stream.set_nodelay(true);
        connections.spawn(converse(stream, tls.clone(), state.clone()));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    connections.shutdown().await;
}

/// One connection. Clients that end it badly, or that do not trust us, are the script's affair.
async fn converse(stream: TcpStream, tls: Option<TlsAcceptor>, state: watch::Sender<State>) {
    let service = service_fn(move |request| respond(request, state.clone()));
    let Some(tls) = tls else {
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        return;
    };
    let Ok(stream) = tls.accept(stream).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = TokioIo::new(stream);
    if http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}

async fn respond(
    request: hyper::Request<Incoming>,
    state: watch::Sender<State>,
) -> Result<Response, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.map_err(|_| NoAnswer)?;
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let key = head.headers.clone();
    let ask = Ask::of(&head.method, &path, serde_json::from_slice(&body).unwrap_or_default());
    let (at, method) = (Instant::now(), head.method.to_string());
    let request = Request { at, version: head.version, method, path, headers: head.headers, body };
    let (exchange, play) = Exchange::begin(request, ask.as_ref(), state);
    let Some(ask) = ask else {
        let nothing = r#"{"error":{"message":"Nothing is served here.","type":"invalid_request_error"}}"#;
        return Ok(exchange.json(404, nothing.into()));
    };
    if exchange.state.borrow().key.as_ref().is_some_and(|wanted| !shows(&key, wanted)) {
        return Ok(exchange.json(401, ask.error(401, "The key is not right.").data.to_string().into()));
    }
    exchange.play(&ask, &play).await
}

/// Whether a request shows the key, as any of the APIs wants it shown.
fn shows(headers: &header::HeaderMap, wanted: &str) -> bool {
    let is =
        |name: &str, shown: &str| headers.get(name).is_some_and(|value| value.as_bytes() == shown.as_bytes());
    is("authorization", &format!("Bearer {wanted}"))
        || is("x-api-key", wanted)
        || is("x-goog-api-key", wanted)
}

// === impl Exchange ===

impl Exchange {
    /// Writes a request down, and takes what is to be done with it from the script. Models are always told.
    fn begin(request: Request, ask: Option<&Ask>, state: watch::Sender<State>) -> (Self, Play) {
        let (mut at, mut play) = (0, Play::default());
        state.send_modify(|state| {
            at = state.requests.len();
            state.requests.push(request);
            state.ends.push(None);
            state.most = state.most.max(state.under_way());
            if ask.is_some_and(|ask| ask.wanted != Wanted::Models) {
                play = state.script.pop_front().unwrap_or_else(|| state.usual.clone());
            }
        });
        (Self { at, state, holding: false, over: false }, play)
    }

    async fn play(mut self, ask: &Ask, play: &Play) -> Result<Response, NoAnswer> {
        match &play.first {
            First::Nothing => {}
            First::Wait(by) => tokio::time::sleep(*by).await,
            First::Hold => self.hold().await,
            First::Stall => std::future::pending().await,
            First::HangUp => {
                self.over(End::BrokenOff);
                return Err(NoAnswer);
            }
            First::Redirect(to) => {
                self.over(End::Whole);
                let answer = Response::builder().status(StatusCode::TEMPORARY_REDIRECT);
                return Ok(answer.header(header::LOCATION, to).body(Body::empty()).expect("a location"));
            }
            First::Refuse { status, message, body, retry_after } => {
                let body = body.clone().unwrap_or_else(|| ask.error(*status, message).data.to_string());
                let mut answer = self.json(*status, body.into());
                if let Some(when) = retry_after {
                    answer.headers_mut().insert(header::RETRY_AFTER, when.parse().expect("a header's value"));
                }
                return Ok(answer);
            }
        }
        if ask.wanted != Wanted::Models {
            self.state.send_modify(|state| state.told += play.usage);
        }
        Ok(self.answer(ask, play))
    }

    /// Waits until it is released.
    async fn hold(&mut self) {
        let mut state = self.state.subscribe();
        self.holding = true;
        self.state.send_modify(|state| state.holding += 1);
        let released = state.wait_for(|state| state.released > self.at).await;
        drop(released);
        self.let_go();
    }

    fn let_go(&mut self) {
        if std::mem::take(&mut self.holding) {
            self.state.send_modify(|state| state.holding -= 1);
        }
    }

    fn answer(self, ask: &Ask, play: &Play) -> Response {
        let streamed = ask.wanted == Wanted::Stream;
        let kind = match (streamed, ask.framing()) {
            (true, Framing::Sse) => "text/event-stream",
            (true, Framing::Lines) => "application/x-ndjson",
            (false, _) => "application/json",
        };
        let steps = if streamed {
            Steps::streamed(ask, play)
        } else {
            let text = ask.plain(play).to_string();
            if play.trouble.is_none() && !play.gzip {
                return self.json(200, text.into());
            }
            Steps::plain(ask, play, &text)
        };
        let mut answer = Response::builder().header(header::CONTENT_TYPE, kind);
        if let Some(length) = steps.length {
            answer = answer.header(header::CONTENT_LENGTH, length);
        }
        if play.gzip {
            answer = answer.header(header::CONTENT_ENCODING, "gzip");
        }
        if ask.api == Api::OpenAi {
            answer = answer.header("x-request-id", format!("req_{}", self.at));
        }
        answer.body(steps.body(self)).expect("headers that are ours")
    }

    /// A whole answer of JSON.
    fn json(mut self, status: u16, body: Bytes) -> Response {
        self.over(End::Whole);
        let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        answer.body(Body::from(body)).expect("a status")
    }

    /// It ended, and so.
    pub(super) fn over(&mut self, end: End) {
        self.over = true;
        self.let_go();
        self.state.send_modify(|state| state.ends[self.at] = Some(end));
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.over {
            let down = self.state.borrow().down;
            self.over(if down { End::BrokenOff } else { End::HungUp });
        }
    }
}
