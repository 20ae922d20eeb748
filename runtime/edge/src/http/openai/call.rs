//! One call of a native method for one request of OpenAI's dialect. Given up by its client, it stops.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use protocol::{Caller, Cancel, Cause, Error, Incoming, Note, Outbox, Reply};
use serde_json::value::RawValue;

use super::answer::{Answer, Events, Next};
use super::error::refuse;
use crate::Shared;

/// A call under way.
pub(super) struct Call {
    answer: Arc<Answer>,
    /// What the gateway says of the caller's rate.
    rate: Option<(u32, u32)>,
    guard: Guard,
}

/// Stops the call when its request is over.
pub(super) struct Guard(pub(super) Cancel);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel(Cause::Disconnected);
    }
}

impl Call {
    pub(super) fn begin(shared: &Shared, caller: &Arc<Caller>, method: &str, params: Box<RawValue>) -> Self {
        let (cancel, deadline) = (Cancel::new(), Instant::now() + shared.limits.call);
        let answer = Answer::new(deadline, shared.limits.send_buffer);
        shared.dispatch.dispatch(Incoming {
            method: method.into(),
            params: Some(params),
            caller: Arc::clone(caller),
            deadline,
            cancel: cancel.clone(),
            inputs: None,
            reply: Reply::new(Arc::clone(&answer) as Arc<dyn Outbox>, 0),
        });
        Self { answer, rate: shared.dispatch.allowance(caller), guard: Guard(cancel) }
    }

    /// The result as JSON text.
    pub(super) async fn outcome(&self) -> Result<String, Error> {
        loop {
            let wait = self.answer.deadline().saturating_duration_since(Instant::now());
            let next = tokio::time::timeout(wait, poll_fn(|context| self.answer.poll(context))).await;
            match next {
                Ok(Next::End(outcome)) => return outcome,
                Ok(Next::Part(_)) => {}
                // It may have been given longer meanwhile.
                Err(_) if Instant::now() < self.answer.deadline() => {}
                Err(_) => return Err(overdue()),
            }
        }
    }

    /// The response with the whole result, as `shape` makes it.
    pub(super) async fn whole(self, shape: impl FnOnce(String) -> String) -> Response {
        let mut response = match self.outcome().await {
            Ok(answer) => ([(CONTENT_TYPE, "application/json")], shape(answer)).into_response(),
            Err(error) => refuse(&error),
        };
        self.limits(response.headers_mut());
        response
    }

    /// The response whose events are the parts; what fails before the first is refused like any other request.
    pub(super) async fn stream(self) -> Response {
        let first = loop {
            let wait = self.answer.deadline().saturating_duration_since(Instant::now());
            match tokio::time::timeout(wait, poll_fn(|context| self.answer.poll(context))).await {
                Ok(next) => break next,
                Err(_) if Instant::now() < self.answer.deadline() => {}
                Err(_) => break Next::End(Err(overdue())),
            }
        };
        if let Next::End(Err(error)) = &first {
            let mut response = refuse(error);
            self.limits(response.headers_mut());
            return response;
        }
        let mut limits = HeaderMap::new();
        self.limits(&mut limits);
        let events = Events::new(first, self.answer, self.guard);
        let headers = [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-cache"),
            // Proxies that gather responses would hold events back.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        let mut response = (headers, Body::from_stream(events)).into_response();
        response.headers_mut().extend(limits);
        response
    }

    /// What is left, in the headers that OpenAI's clients look at.
    fn limits(&self, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        if let Some((limit, remaining)) = self.rate {
            set("x-ratelimit-limit-requests", limit.to_string());
            set("x-ratelimit-remaining-requests", remaining.to_string());
        }
        if let Some(Note::Tokens { limit, remaining, resets_in }) = self.answer.note() {
            set("x-ratelimit-limit-tokens", limit.to_string());
            set("x-ratelimit-remaining-tokens", remaining.to_string());
            set("x-ratelimit-reset-tokens", written(resets_in));
        }
    }
}

pub(super) fn overdue() -> Error {
    Error::new(protocol::Code::DeadlineExceeded, "No answer in time; the work was told to stop.")
}

/// A span of time as OpenAI writes it: `1h2m3s`.
fn written(time: Duration) -> String {
    let all = time.as_secs();
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}
