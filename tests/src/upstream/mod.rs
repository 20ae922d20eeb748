//! An upstream that does what it is told: a model's server in OpenAI's, Anthropic's, Gemini's and Ollama's words, whose
//! every answer can go wrong in a way of its own, and which knows what was asked of it and who hung up.
//!
//! It stands on hyper's own server with axum's bodies, because a handler of axum's must answer, and an upstream need not.

mod answer;
mod anthropic;
mod gemini;
mod ollama;
mod openai;
mod play;
mod serve;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{HeaderMap, Version};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub use play::{Play, Usage, Wire, http_date};
pub use tls::Authority;

use crate::PATIENCE;

/// A running upstream; its drop ends it and all its connections.
pub struct Upstream {
    address: SocketAddr,
    state: watch::Sender<State>,
    listener: Option<JoinHandle<()>>,
    tls: Option<TlsAcceptor>,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had come.
    pub at: Instant,
    /// HTTP's.
    pub version: Version,
    /// Such as POST.
    pub method: String,
    /// The path and, where there is one, the query.
    pub path: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The answer was given whole.
    Whole,
    /// The upstream broke it off: it was told to, or went down.
    BrokenOff,
    /// The client hung up before the end.
    HungUp,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// Of every request, in the same order; `None` while it is under way.
    ends: Vec<Option<End>>,
    script: VecDeque<Play>,
    usual: Play,
    key: Option<String>,
    /// Nobody listens; whoever was being answered is broken off.
    down: bool,
    /// So many requests, counted from the first, are held no longer.
    released: usize,
    holding: usize,
    /// The most requests that were ever under way at once.
    most: usize,
    told: Usage,
}

impl Request {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

// === impl Upstream ===

impl Upstream {
    /// Starts one on a free port of 127.0.0.1. Until it is told otherwise it answers every chat with a short text.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same behind TLS, with a certificate of `authority` for `name`.
    pub async fn start_tls(authority: &Authority, name: &str) -> Self {
        Self::start_with(Some(authority.acceptor(name))).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let (state, any) = (watch::Sender::default(), SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut upstream = Self { address: any, state, listener: None, tls };
        upstream.up().await;
        upstream
    }

    /// Listens again, on the port that it had, after [`Upstream::down`].
    pub async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("a free port");
        self.address = listener.local_addr().expect("its address");
        self.state.send_modify(|state| state.down = false);
        self.listener =
            Some(tokio::task::spawn(serve::listen(listener, self.tls.clone(), self.state.clone())));
    }

    /// Refuses connections from now on, and ends those that are open.
    pub async fn down(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.state.send_modify(|state| state.down = true);
            // Connections have ended when the task has.
            let _ = listener.await;
        }
    }

    /// HOST:PORT.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its base URL for Anthropic's, Gemini's and Ollama's words.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Its base URL for OpenAI's words.
    pub fn v1(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// Refuses from now on, with 401, whoever shows another key than this.
    pub fn require_key(&self, key: &str) {
        self.state.send_modify(|state| state.key = Some(key.to_owned()));
    }

    /// What the next request gets that no earlier call of this is for.
    pub fn next(&self, play: Play) {
        self.state.send_modify(|state| state.script.push_back(play));
    }

    /// What every request gets that [`Upstream::next`] says nothing about.
    pub fn always(&self, play: Play) {
        self.state.send_modify(|state| state.usual = play);
    }

    /// Lets the held requests that have come so far go on.
    pub fn release(&self) {
        self.state.send_modify(|state| state.released = state.requests.len());
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    /// How many requests there were so far.
    pub fn count(&self) -> usize {
        self.state.borrow().requests.len()
    }

    /// The last request.
    pub fn last(&self) -> Request {
        self.state.borrow().requests.last().expect("a request came").clone()
    }

    /// How many clients hung up before the end of their answer.
    pub fn hung_up(&self) -> usize {
        self.state.borrow().hung_up()
    }

    /// The most requests that were ever under way at once.
    pub fn most_at_once(&self) -> usize {
        self.state.borrow().most
    }

    /// The sum of the usage in all answers that were begun, whether or not the client was told of it.
    pub fn told(&self) -> Usage {
        self.state.borrow().told
    }

    /// Waits until so many requests have come.
    pub async fn asked(&self, requests: usize) {
        self.comes(&format!("{requests} requests"), |state| state.requests.len() >= requests).await;
    }

    /// Waits until so many requests are held at once.
    pub async fn holds(&self, requests: usize) {
        self.comes(&format!("{requests} held requests"), |state| state.holding >= requests).await;
    }

    /// Waits until so many clients have hung up.
    pub async fn hangs_up(&self, clients: usize) {
        self.comes(&format!("{clients} clients that hang up"), |state| state.hung_up() >= clients).await;
    }

    /// Waits for the end of a request, counted from 0.
    pub async fn ended(&self, request: usize) -> End {
        let over = |state: &State| state.ends.get(request).copied().flatten().is_some();
        self.comes(&format!("the end of request {request}"), over).await;
        self.state.borrow().ends[request].expect("it was waited for")
    }

    /// Waits until no request is under way.
    pub async fn idle(&self) {
        self.comes("a moment with nothing to do", |state| state.under_way() == 0).await;
    }

    async fn comes(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let mut state = self.state.subscribe();
        let came = tokio::time::timeout(PATIENCE, state.wait_for(|state| holds(state))).await.is_ok();
        assert!(came, "never came at the upstream: {what}; it knows {:#?}", *self.state.borrow());
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

// === impl State ===

impl State {
    fn hung_up(&self) -> usize {
        self.ends.iter().filter(|end| **end == Some(End::HungUp)).count()
    }

    fn under_way(&self) -> usize {
        self.ends.iter().filter(|end| end.is_none()).count()
    }
}
