//! What the unit tests of this crate share: a caller, a connection that remembers its answers, and a way to run a
//! future without a runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::context::{Caller, Cancel, Context, Shape, Way};
use crate::dispatch::{Conclusion, Outbox, Payload, Reply};
use crate::error::Error;
use crate::jsonrpc::Id;

/// Unparks the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut task) = (pin!(future), Task::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut task) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A connection that remembers what it was told, one line each: `ticket text`, or `ticket !code`.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Vec<String>>);

impl Memory {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Outbox for Memory {
    fn answer(&self, ticket: u64, outcome: Result<Payload, Error>) {
        self.note(match outcome {
            Ok(payload) => format!("{ticket} {}", payload.as_str()),
            Err(error) => {
                let data = error.data.unwrap_or_default();
                format!("{ticket} !{} retry_safe={}", error.code.label(), data["retry_safe"])
            }
        });
    }

    fn progress(&self, ticket: u64, value: String) {
        self.note(format!("{ticket} ~{value}"));
    }

    fn conclude(&self, ticket: u64, conclusion: Conclusion) {
        self.note(format!("{ticket} {conclusion:?}"));
    }

    fn notify(&self, ticket: u64, message: String) {
        self.note(format!("{ticket} {message}"));
    }

    fn extend(&self, ticket: u64, deadline: Instant) {
        self.note(format!("{ticket} +{}s", deadline.duration_since(Instant::now()).as_secs_f64().round()));
    }

    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

/// A connection, and an obligation to answer its call 7.
pub(crate) fn obligation() -> (Arc<Memory>, Reply) {
    let memory = Arc::new(Memory::default());
    (Arc::clone(&memory), Reply::new(memory, 7))
}

/// Somebody with all rights.
pub(crate) fn caller() -> Arc<Caller> {
    Arc::new(Caller {
        name: "somebody".into(),
        tier: "ELITE".into(),
        allow: None,
        way: Way::Internal,
        token: None,
        service: None,
        run: None,
    })
}

/// A call's circumstances.
pub(crate) fn context(shape: Shape) -> Context {
    Context {
        caller: caller(),
        request_id: 1,
        deadline: Instant::now() + Duration::from_mins(1),
        cancel: Cancel::new(),
        shape,
        inputs: None,
        connection: None,
    }
}
