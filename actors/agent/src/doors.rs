//! The ways out of a run. There are no others: calls through the gateway as the run's owner, and what a later build plugs
//! in for HTTP and containers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::dispatch::BoxFuture;
use protocol::{Caller, Cancel, Cause, Code, Dispatch, Effect, Error, Incoming, Reply};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// What is known of a method.
#[derive(Clone, Debug)]
pub struct About {
    /// Its name: `mcp.fs.read`.
    pub method: String,
    /// What a call can do to the world.
    pub effect: Effect,
    /// Whether it takes an `idempotency_key`.
    pub takes_key: bool,
}

/// The methods that there are now.
pub trait Methods: Send + Sync + 'static {
    /// The method of this name, or whose tool is called so.
    fn about(&self, name: &str) -> Option<About>;
}

/// A request over HTTP, with everything in it that was to be put in.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// What is put behind `?`.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Which statuses are none to fail at; none for 200 to 299.
    pub expected: Vec<u16>,
    /// How long it may take; the step's own time if this is none.
    pub timeout: Option<Duration>,
    /// What the server may know it by, so that it does nothing twice.
    pub key: Option<String>,
}

/// An answer over HTTP.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// What that is: `json`, `text` or `base64`.
    pub encoding: &'static str,
    /// Whether there was more of it.
    pub truncated: bool,
}

/// A container that runs to its end.
#[derive(Clone, Debug)]
pub struct Container {
    /// The image.
    pub image: String,
    /// What runs in it.
    pub command: Option<Vec<String>>,
    /// What it finds in `/run/inputs/inputs.json`.
    pub inputs: Value,
    /// Its environment.
    pub env: Vec<(String, String)>,
    /// Memory in MiB.
    pub memory: Option<u64>,
    /// Cores.
    pub cpus: Option<f64>,
    /// Processes.
    pub pids: Option<u64>,
    /// A network of the engine's; without one it has none.
    pub network: Option<String>,
    /// How long it may take; the step's own time if this is none.
    pub timeout: Option<Duration>,
    /// What it is known by: what was started with a key is found by it again, and not started a second time.
    pub key: String,
}

/// What a container came to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code.
    pub exit_code: i64,
    /// How it ended: `exited`, `out_of_memory`, `timed_out`, `cancelled`.
    pub end: &'static str,
    /// What it said.
    pub output: String,
    /// Its id.
    pub container_id: String,
}

/// Requests over HTTP and containers, as another part provides them. An error that says `retry_safe: false` means that
/// nobody knows whether it was done.
pub trait Outside: Send + Sync + 'static {
    /// Sends a request.
    fn http(
        &self,
        request: HttpRequest,
        deadline: Instant,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<HttpAnswer, Error>>;

    /// Runs a container, or waits for the one that was started with its key. It stays until it is released.
    fn docker(
        &self,
        container: Container,
        deadline: Instant,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<Ended, Error>>;

    /// What came of a container is written down, or nobody wants it any more: it ends, and goes.
    fn release(&self, key: String) -> BoxFuture<'_, ()>;

    /// The keys of all containers that are still there.
    fn held(&self) -> BoxFuture<'_, Vec<String>>;
}

/// What became of something that was done to the world.
#[derive(Debug)]
pub(crate) enum Became {
    /// It was done.
    Done(Value),
    /// It was not, or not well.
    Failed(Failure),
    /// Nobody knows; why.
    Unknown(String),
    /// It was not begun, and may be after a while.
    Later(Duration, Failure),
}

/// How long is waited where an error does not say.
const A_WHILE: Duration = Duration::from_millis(100);

/// The longest wait that an error may ask for before the step looks at its own time again.
const A_WHILE_MAX: Duration = Duration::from_mins(1);

impl Became {
    /// That of an answer.
    pub(crate) fn of(error: &Error) -> Self {
        let data =
            |name: &str| error.data.as_deref().and_then(|data| data.get(name)).cloned().unwrap_or_default();
        let ms = data("retry_after_ms").as_u64().map_or(A_WHILE, Duration::from_millis);
        let wait = ms.clamp(Duration::from_millis(10), A_WHILE_MAX);
        match error.code {
            Code::Unavailable | Code::Overloaded | Code::RateLimited => Self::Later(wait, Failure::of(error)),
            Code::Interrupted if data("retry_safe") == true => Self::Later(A_WHILE, Failure::of(error)),
            Code::Interrupted => Self::Unknown(error.message.clone()),
            _ if data("retry_safe") == false => Self::Unknown(error.message.clone()),
            _ => Self::Failed(Failure::of(error)),
        }
    }
}

/// Tells a call that nobody waits for it any more.
pub(crate) struct Abandons(pub(crate) Cancel);

impl Drop for Abandons {
    fn drop(&mut self) {
        self.0.cancel(Cause::Cancelled);
    }
}

/// Calls a method as `caller`. `most` is the longest answer that is taken, in bytes.
pub(crate) async fn call(
    dispatch: &Arc<dyn Dispatch>,
    caller: &Arc<Caller>,
    method: &str,
    params: &Value,
    deadline: Instant,
    most: u64,
) -> Became {
    let params = match to_raw_value(params) {
        Ok(params) => params,
        Err(error) => return Became::Failed(Failure::new("internal", error.to_string())),
    };
    let (outbox, outcome) = service::once();
    let abandons = Abandons(Cancel::new());
    dispatch.dispatch(Incoming {
        method: method.into(),
        params: Some(params),
        caller: Arc::clone(caller),
        deadline,
        cancel: abandons.0.clone(),
        inputs: None,
        reply: Reply::new(outbox, 0),
    });
    let answer = match tokio::time::timeout_at(deadline.into(), outcome).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => return Became::Unknown("the process lost the call".to_owned()),
        Err(_) => {
            return Became::Failed(Failure::new("timeout", format!("'{method}' did not answer in time")));
        }
    };
    drop(abandons);
    match answer {
        Ok(payload) if payload.as_str().len() as u64 > most => {
            let length = payload.as_str().len();
            Became::Failed(Failure::new(
                "too_large",
                format!(
                    "'{method}' answered with {length} bytes; a step's result has {most} at most: ask for less, or have \
                     it written into a file"
                ),
            ))
        }
        Ok(payload) => match serde_json::from_str(payload.as_str()) {
            Ok(value) => Became::Done(value),
            Err(error) => Became::Failed(Failure::new("internal", error.to_string())),
        },
        Err(error) => Became::of(&error),
    }
}

/// Whether calling this method again with these params is the same as calling it once, where its annotations have to
/// speak for all params.
pub(crate) fn repeatable(about: &About, params: &Value) -> bool {
    if about.effect.repeatable() {
        return true;
    }
    let says = |name: &str| {
        params.get(name).is_some_and(|value| !value.is_null() && *value != false && *value != "")
    };
    match about.method.as_str() {
        // It replaces the whole content, unless it adds to it or depends on what was there.
        "mcp.fs.write" => params.is_object() && !says("append") && !says("if_match"),
        // They cost something and change nothing.
        "mcp.llm.chat" | "mcp.llm.embed" => true,
        _ => false,
    }
}

/// A mapping of texts.
pub(crate) fn texts(map: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
