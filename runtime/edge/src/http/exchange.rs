//! One request over HTTP and everything that is sent because of it: notifications and questions first, the answer
//! last. Also what a session is told on its own stream, which is never answered.
//!
//! Events are numbered, so that a legacy client whose stream ended can go on where it was (`Last-Event-ID`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Bytes;
use futures_util::task::AtomicWaker;
use protocol::{Cancel, Cause, Conclusion, Error, Id, Outbox, Payload};

/// Events kept for a client that may come back.
const KEPT_MAX: usize = 256;

/// The sending side of one request.
pub(crate) struct Exchange {
    /// Its number in its session; the part of an event's id before the dash.
    pub(crate) number: u64,
    id: Id,
    cancel: Cancel,
    kept: Kept,
    send_buffer: usize,
    state: Mutex<State>,
    waker: AtomicWaker,
}

/// Whether events are kept after they were sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// For a client that may come back.
    Some,
    /// Sent is gone.
    None,
}

struct State {
    events: VecDeque<Bytes>,
    /// The number of the first of them. The first of all is 1.
    first: u64,
    /// How large they are together.
    bytes: usize,
    answer: Option<Answer>,
    deadline: Instant,
    /// Who reads now; one who read before does not any more.
    reader: u64,
    /// Whether it still does.
    reading: bool,
    /// The number of the next event that nobody has been sent.
    sent: u64,
    /// The client has taken its request back: there will be no answer.
    withdrawn: bool,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: Bytes,
    /// What follows; empty where the text is all of it.
    pub(crate) rest: Bytes,
    at: Instant,
}

/// What a reader is told next.
pub(crate) enum Next {
    /// An event and its number; the answer is the last.
    Event(u64, Bytes),
    /// There will be no more for this reader.
    Over,
}

impl Exchange {
    pub(crate) fn new(
        number: u64,
        id: Id,
        cancel: Cancel,
        deadline: Instant,
        kept: Kept,
        send_buffer: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            id,
            cancel,
            kept,
            send_buffer,
            state: Mutex::new(State {
                events: VecDeque::new(),
                first: 1,
                bytes: 0,
                answer: None,
                deadline,
                reader: 0,
                reading: false,
                sent: 1,
                withdrawn: false,
            }),
            waker: AtomicWaker::new(),
        })
    }

    /// A new reader; the one before is told that it is over.
    pub(crate) fn new_reader(&self) -> u64 {
        let mut state = self.state();
        state.reader += 1;
        state.reading = true;
        let reader = state.reader;
        drop(state);
        self.waker.wake();
        reader
    }

    /// A reader that reads no more.
    pub(crate) fn leave(&self, reader: u64) {
        let mut state = self.state();
        state.reading &= state.reader != reader;
    }

    /// Whoever reads is told that it is over.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.reader += 1;
        state.reading = false;
        drop(state);
        self.waker.wake();
    }

    /// Whether anybody reads.
    pub(crate) fn is_read(&self) -> bool {
        self.state().reading
    }

    /// Where a reader begins that has seen nothing of it yet.
    pub(crate) fn unsent(&self) -> u64 {
        self.state().sent
    }

    /// The answer if there is one and nothing comes before it.
    pub(crate) fn poll_first(&self, reader: u64, context: &Context<'_>) -> Poll<Option<Answer>> {
        let state = self.state();
        if state.reader != reader || !state.events.is_empty() || state.withdrawn {
            return Poll::Ready(None);
        }
        self.waker.register(context.waker());
        state.answer.clone().map_or(Poll::Pending, |answer| Poll::Ready(Some(answer)))
    }

    /// The event `number`, or the first behind it that is still there.
    pub(crate) fn poll_event(&self, reader: u64, number: u64, context: &Context<'_>) -> Poll<Next> {
        let mut state = self.state();
        if state.reader != reader || state.withdrawn {
            return Poll::Ready(Next::Over);
        }
        // Behind that: one waker is kept, and a reader that was replaced must not put its own in place of the new.
        self.waker.register(context.waker());
        let at = number.max(state.first);
        let index = usize::try_from(at - state.first).unwrap_or(usize::MAX);
        if let Some(event) = state.events.get(index).cloned() {
            state.sent = state.sent.max(at + 1);
            while self.kept == Kept::None && state.first <= at {
                state.forget_oldest();
            }
            return Poll::Ready(Next::Event(at, event));
        }
        let last = state.first + state.events.len() as u64;
        match &state.answer {
            Some(answer) if at == last => Poll::Ready(Next::Event(at, answer.whole())),
            Some(_) => Poll::Ready(Next::Over),
            None => Poll::Pending,
        }
    }

    /// Whether it is the call that its client sent under `id`, and not answered.
    pub(crate) fn is_call(&self, id: &Id) -> bool {
        self.id == *id && self.answered_at().is_none()
    }

    /// When the answer is no longer wanted; `None` once it is there.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        state.answer.is_none().then_some(state.deadline)
    }

    /// Whether it was answered, and when.
    pub(crate) fn answered_at(&self) -> Option<Instant> {
        self.state().answer.as_ref().map(|answer| answer.at)
    }

    /// Gives up waiting if its time is over, which nobody else may look at while nobody reads.
    pub(crate) fn expire_by(&self, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.expire();
        }
    }

    /// Gives up waiting: the work stops, and the client is told.
    pub(crate) fn expire(&self) {
        self.cancel.cancel(Cause::Deadline);
        let text = r#"{"code":-32603,"message":"No answer in time; the work was told to stop."}"#.to_owned();
        self.conclude(0, Conclusion::Error { status: 504, text });
    }

    /// The client takes its request back: the work stops, and nothing more is sent for it. One that was answered
    /// before stays as it is.
    pub(crate) fn withdraw(&self, cause: Cause) {
        let mut state = self.state();
        if state.answer.is_some() {
            return;
        }
        state.withdrawn = true;
        drop(state);
        self.cancel.cancel(cause);
        self.waker.wake();
    }

    /// Whether nothing more is sent for it.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.state().withdrawn
    }

    /// Nobody wants the answer any more.
    pub(crate) fn abandon(&self, cause: Cause) {
        if self.answered_at().is_none() {
            self.cancel.cancel(cause);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// All of it in one piece.
    fn whole(&self) -> Bytes {
        if self.rest.is_empty() { self.text.clone() } else { [&self.text[..], &self.rest].concat().into() }
    }
}

impl State {
    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }
}

impl Outbox for Exchange {
    fn answer(&self, _: u64, outcome: Result<Payload, Error>) {
        let conclusion = match outcome {
            Ok(payload) => Conclusion::Result(payload.as_str().to_owned()),
            Err(error) => mcp::RpcError::of(&error).conclusion(),
        };
        self.conclude(0, conclusion);
    }

    fn progress(&self, _: u64, _: String) {}

    fn conclude(&self, _: u64, conclusion: Conclusion) {
        let status = match &conclusion {
            Conclusion::Result(_) | Conclusion::Common(_) => 200,
            Conclusion::Error { status, .. } => *status,
        };
        let (text, rest) = conclusion.into_answer(&self.id);
        let rest = rest.map(Bytes::from_owner).unwrap_or_default();
        let mut state = self.state();
        if state.answer.is_none() {
            state.answer = Some(Answer { status, text: text.into(), rest, at: Instant::now() });
        }
        drop(state);
        self.waker.wake();
    }

    fn notify(&self, _: u64, message: String) {
        let (mut state, room) = (self.state(), self.send_buffer / 2);
        if state.answer.is_some() {
            return;
        }
        // What was sent is kept only while there is room for it.
        while state.bytes + message.len() > room && state.first < state.sent && !state.events.is_empty() {
            state.forget_oldest();
        }
        // News is dropped long before memory is: a reader that stalls loses it.
        if state.bytes + message.len() > room {
            return;
        }
        state.bytes += message.len();
        state.events.push_back(message.into());
        if state.events.len() > KEPT_MAX {
            state.forget_oldest();
        }
        drop(state);
        self.waker.wake();
    }

    fn extend(&self, _: u64, deadline: Instant) {
        self.state().deadline = deadline;
        self.waker.wake();
    }

    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

impl mcp::Channel for Exchange {
    fn push(&self, message: String) {
        self.notify(0, message);
    }
}
