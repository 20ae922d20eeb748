//! Everything a method may know about the call it answers: who asks, how long it has, whether it still matters.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use event_listener::Event;
use serde::Serialize;
use serde_json::Value;

use crate::dispatch::{Note, Outbox, Part};
use crate::error::Error;
use crate::mcp::{Capability, Inputs, LogLevel};
use crate::tier::Pattern;

/// The transport a caller came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// WebSocket.
    Ws,
    /// A UNIX socket.
    Unix,
    /// HTTP request and response.
    Http,
    /// Standard input and output.
    Stdio,
    /// From inside the process: a workflow run, a test.
    Internal,
}

/// Who is asking, as the gateway established it. Immutable: rights are looked up anew at every call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Stable name: the token's, `uid:1000`, or `loopback`. Quotas and the audit trail are kept under it.
    pub name: String,
    /// The tier that names this caller's limits; never above the instance licence.
    pub tier: String,
    /// The token's own narrowing: patterns that a method must match; `None` does not narrow.
    pub allow: Option<Vec<Pattern>>,
    /// The way in.
    pub way: Way,
    /// Identifies the token row, so that a revoked one stops working on open connections.
    pub token: Option<i64>,
    /// Only methods of this service, when the caller came in by that service's own socket.
    pub service: Option<Arc<str>>,
    /// The workflow's run that calls in the caller's name.
    pub run: Option<Arc<str>>,
}

impl Caller {
    /// Whether one of these names is the caller's, or its tier's: how settings say who may do what few may.
    pub fn is_among(&self, names: &[String]) -> bool {
        names.iter().any(|name| *name == self.name || name.eq_ignore_ascii_case(&self.tier))
    }
}

/// Why a call should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// The caller asked.
    Cancelled = 1,
    /// The connection went away.
    Disconnected = 2,
    /// The deadline passed.
    Deadline = 3,
    /// The process is stopping.
    Shutdown = 4,
}

/// Tells a piece of work to stop. Clones share one signal; the first cause stays.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Signal>);

#[derive(Default)]
struct Signal {
    cause: AtomicU8,
    raised: Event,
}

impl Cancel {
    /// A signal that has not been raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the signal; later causes change nothing.
    pub fn cancel(&self, cause: Cause) {
        let first =
            self.0.cause.compare_exchange(0, cause as u8, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.0.raised.notify(usize::MAX);
        }
    }

    /// The cause, once raised. Cheap enough to ask in every turn of a loop.
    pub fn cause(&self) -> Option<Cause> {
        match self.0.cause.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Cause::Cancelled),
            2 => Some(Cause::Disconnected),
            3 => Some(Cause::Deadline),
            _ => Some(Cause::Shutdown),
        }
    }

    /// Whether the work should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cause().is_some()
    }

    /// Resolves when the signal is raised.
    pub async fn cancelled(&self) -> Cause {
        loop {
            if let Some(cause) = self.cause() {
                return cause;
            }
            let listener = self.0.raised.listen();
            if let Some(cause) = self.cause() {
                return cause;
            }
            listener.await;
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.cause()).finish()
    }
}

/// Which form of the result the caller expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Params came by position, or not at all, as the original's clients send them: the original's result.
    Original,
    /// Params came by name: the full result object.
    Named,
}

/// The call's circumstances, handed to every method.
#[derive(Clone)]
pub struct Context {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Unique in this process; in every log line of the call, and in internal errors.
    pub request_id: u64,
    /// When the answer is no longer wanted.
    pub deadline: Instant,
    /// Raised when the answer is no longer wanted.
    pub cancel: Cancel,
    /// The form of the result.
    pub shape: Shape,
    /// Who can be asked, and what was answered; `None` when nobody can be (a caller of the native dialect).
    pub inputs: Option<Arc<Inputs>>,
    /// The connection and the ticket of this call there, for progress and for cancelling siblings.
    pub connection: Option<(Arc<dyn Outbox>, u64)>,
}

impl Context {
    /// Sends news about this call ahead of its reply; a caller who cannot take any loses nothing but the news.
    pub fn progress(&self, value: &impl Serialize) {
        if let Some((outbox, ticket)) = &self.connection
            && let Ok(text) = serde_json::to_string(value)
        {
            outbox.progress(*ticket, text);
        }
    }
}

impl Context {
    /// Sends a part of the reply ahead of its end, and waits while its caller does not read. `false` when parts are
    /// not what the caller takes.
    ///
    /// # Errors
    /// Cancelled, when nobody wants the answer any more.
    pub async fn part(&self, value: String) -> Result<bool, Error> {
        let Some((outbox, ticket)) = &self.connection else { return Ok(false) };
        let (mut value, mut room) = (value, None);
        loop {
            match outbox.part(*ticket, self.shape, value) {
                Part::Sent => return Ok(true),
                Part::Unwanted => return Ok(false),
                Part::Gone => return Err(Error::cancelled()),
                Part::Full(back) => value = back,
            }
            // Tried once more before it waits: room that came in between is not missed.
            match room.take() {
                None => room = Some(outbox.room()),
                Some(room) => room.await,
            }
        }
    }

    /// Tells what goes beside the answer, where the caller's dialect has a place for it.
    pub fn note(&self, note: &Note) {
        if let Some((outbox, ticket)) = &self.connection {
            outbox.note(*ticket, note);
        }
    }

    /// What was answered to the question `name`, if it was asked and answered.
    pub fn answer(&self, name: &str) -> Option<&Value> {
        self.inputs.as_ref()?.answers.get(name)
    }

    /// Whether whoever is behind the caller can be asked in this way.
    pub fn can(&self, capability: Capability) -> bool {
        self.inputs.as_ref().is_some_and(|inputs| inputs.capabilities.has(capability))
    }

    /// Sends a log message to the caller, if it wants messages of this level; it is no log of the daemon's.
    pub fn log(&self, level: LogLevel, data: &Value) {
        if let Some((outbox, ticket)) = &self.connection {
            outbox.log(*ticket, level, data);
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("caller", &self.caller.name)
            .field("request_id", &self.request_id)
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context as Task, Poll, Waker};
    use std::thread;

    use super::*;
    use crate::testing::{Memory, block_on, context};

    #[test]
    fn the_first_cause_stays() {
        let cancel = Cancel::new();
        assert_eq!((cancel.cause(), cancel.is_cancelled()), (None, false));
        let told = cancel.clone();
        told.cancel(Cause::Deadline);
        told.cancel(Cause::Shutdown);
        assert_eq!((cancel.cause(), cancel.is_cancelled()), (Some(Cause::Deadline), true));
    }

    #[test]
    fn every_cause_arrives_as_it_was_given() {
        for cause in [Cause::Cancelled, Cause::Disconnected, Cause::Deadline, Cause::Shutdown] {
            let cancel = Cancel::new();
            cancel.cancel(cause);
            assert_eq!(block_on(cancel.cancelled()), cause);
        }
    }

    #[test]
    fn everybody_who_waits_is_woken() {
        let cancel = Cancel::new();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let cancel = cancel.clone();
                thread::spawn(move || block_on(cancel.cancelled()))
            })
            .collect();
        cancel.cancel(Cause::Disconnected);
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Cause::Disconnected);
        }
    }

    #[test]
    fn one_that_waits_is_woken_and_one_that_gave_up_takes_nothing_along() {
        let cancel = Cancel::new();
        let mut task = Task::from_waker(Waker::noop());
        let mut waits = pin!(cancel.cancelled());
        {
            let mut gives_up = pin!(cancel.cancelled());
            assert_eq!(gives_up.as_mut().poll(&mut task), Poll::Pending);
        }
        assert_eq!(waits.as_mut().poll(&mut task), Poll::Pending);
        cancel.cancel(Cause::Cancelled);
        assert_eq!(waits.as_mut().poll(&mut task), Poll::Ready(Cause::Cancelled));
    }

    #[test]
    fn progress_goes_to_the_calls_own_ticket_or_nowhere() {
        let memory = Arc::new(Memory::default());
        let mut call = context(Shape::Named);
        call.progress(&1);
        call.connection = Some((Arc::<Memory>::clone(&memory), 9));
        call.progress(&"half");
        assert_eq!(memory.lines(), [r#"9 ~"half""#]);
    }
}
