//! Calls of native methods on behalf of a client: through the gateway, like everybody's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use protocol::mcp::{Inputs, LogLevel};
use protocol::{Cancel, Cause, Conclusion, Dispatch, Error, Id, Incoming, Outbox, Payload, Reply};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::asking::Asking;
use crate::out::{News, Out};

/// One call of a native method.
pub(crate) struct NativeCall {
    pub(crate) method: Box<str>,
    /// An object, so that the full result comes back.
    pub(crate) params: Box<RawValue>,
    pub(crate) inputs: Inputs,
    pub(crate) cancel: Cancel,
    pub(crate) deadline: Instant,
}

/// What becomes of a call's outcome.
type Finish = Box<dyn FnOnce(Out, Result<Payload, Error>) + Send>;

/// The connection as the native method sees it: its news become the client's, its answer goes to whoever knows
/// what to make of it.
struct Bridge {
    out: Mutex<Option<(Out, Finish)>>,
    news: News,
    asking: Arc<Asking>,
    progress: Mutex<f64>,
}

impl NativeCall {
    pub(crate) fn new(method: &str, params: &Value, cancel: &Cancel, deadline: Instant) -> Self {
        Self {
            method: method.into(),
            params: serde_json::value::to_raw_value(params).expect("values serialise to memory"),
            inputs: Inputs::default(),
            cancel: cancel.clone(),
            deadline,
        }
    }

    /// Makes the call; what becomes of it is `outbox`'s business.
    pub(crate) fn send_to(self, asking: &Asking, dispatch: &dyn Dispatch, outbox: Arc<dyn Outbox>) {
        dispatch.dispatch(Incoming {
            method: self.method,
            params: Some(self.params),
            caller: Arc::clone(&asking.caller),
            deadline: self.deadline,
            cancel: self.cancel,
            inputs: Some(Arc::new(self.inputs)),
            reply: Reply::new(outbox, 0),
        });
    }

    /// Makes the call for the request behind `out`; `finish` answers it.
    pub(crate) fn send(
        self,
        asking: &Arc<Asking>,
        dispatch: &dyn Dispatch,
        out: Out,
        finish: impl FnOnce(Out, Result<Payload, Error>) + Send + 'static,
    ) {
        let bridge = Bridge {
            news: out.news(),
            out: Mutex::new(Some((out, Box::new(finish)))),
            asking: Arc::clone(asking),
            progress: Mutex::new(f64::NEG_INFINITY),
        };
        self.send_to(asking, dispatch, Arc::new(bridge));
    }

    /// Makes the call and waits for its outcome; its news are nobody's. Dropped, it is cancelled.
    pub(crate) async fn ask(self, asking: &Asking, dispatch: &dyn Dispatch) -> Result<Payload, Error> {
        let (outbox, outcome) = service::once();
        let _guard = CancelOnDrop(self.cancel.clone());
        self.send_to(asking, dispatch, outbox);
        outcome.await.unwrap_or_else(|_| Err(Error::internal("a reply was dropped unanswered")))
    }

    /// Makes a call that tells news until it ends; the outcome is only the end of them.
    pub(crate) fn follow(self, asking: &Asking, dispatch: &dyn Dispatch) -> Following {
        let (outbox, outcome, news) = service::once_with_news();
        let cancel = self.cancel.clone();
        self.send_to(asking, dispatch, outbox);
        Following { news, outcome, _guard: CancelOnDrop(cancel) }
    }
}

/// A call that tells news. Dropped, it is cancelled.
pub(crate) struct Following {
    news: mpsc::Receiver<String>,
    outcome: oneshot::Receiver<Result<Payload, Error>>,
    _guard: CancelOnDrop,
}

impl Following {
    /// The next news, as JSON text; `Err` when there will be none.
    pub(crate) async fn next(&mut self) -> Result<String, Error> {
        tokio::select! {
            biased;
            Some(news) = self.news.recv() => Ok(news),
            outcome = &mut self.outcome => match outcome {
                Ok(Err(error)) => Err(error),
                _ => Err(Error::cancelled()),
            },
        }
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel(Cause::Disconnected);
    }
}

/// What news of a call say to a person; none where they are numbers alone.
pub(crate) fn words(news: &Value) -> Option<String> {
    match (news["message"].as_str(), news.get("progress")) {
        (Some(message), _) => Some(message.to_owned()),
        (None, None) => Some(news.as_str().map_or_else(|| news.to_string(), ToOwned::to_owned)),
        (None, Some(_)) => None,
    }
}

// === impl Bridge ===

impl Outbox for Bridge {
    fn answer(&self, _: u64, outcome: Result<Payload, Error>) {
        let waiting = self.out.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((out, finish)) = waiting {
            finish(out, outcome);
        }
    }

    fn progress(&self, _: u64, value: String) {
        let Some(token) = &self.asking.progress_token else { return };
        let value: Value = serde_json::from_str(&value).unwrap_or_default();
        let mut last = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match value["progress"].as_f64() {
            Some(now) if now > *last => now,
            // The protocol's progress only grows; news of another kind are counted.
            Some(_) => return,
            None => {
                if last.is_finite() {
                    *last + 1.0
                } else {
                    1.0
                }
            }
        };
        *last = now;
        let mut params = json!({ "progressToken": token, "progress": number(now) });
        if value["total"].is_number() {
            params["total"] = value["total"].clone();
        }
        if let Some(message) = words(&value) {
            params["message"] = message.into();
        }
        self.news.send(notification("notifications/progress", &params));
    }

    fn conclude(&self, _: u64, _: Conclusion) {}

    fn notify(&self, _: u64, message: String) {
        self.news.send(message);
    }

    fn log(&self, _: u64, level: LogLevel, data: &Value) {
        if self.asking.log_level.is_some_and(|least| level >= least) {
            let params = json!({ "level": level, "logger": "llmbasedos", "data": data });
            self.news.send(notification("notifications/message", &params));
        }
    }

    fn extend(&self, _: u64, deadline: Instant) {
        self.news.extend(deadline);
    }

    fn cancel(&self, _: &Id) -> bool {
        // The protocol has its own way to cancel a request; a tool that cancels finds nothing to.
        false
    }
}

/// An integer where it is one.
fn number(n: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it has been found to be whole and small")]
    if n.fract() == 0.0 && n.abs() < 9e15 { json!(n as i64) } else { json!(n) }
}

/// A notification as text.
pub(crate) fn notification(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()
}
