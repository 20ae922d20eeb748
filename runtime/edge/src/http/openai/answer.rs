//! The answer to one request on its way: parts, what goes beside it, and its end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use event_listener::Event;
use futures_util::Stream;
use futures_util::task::AtomicWaker;
use protocol::dispatch::BoxFuture;
use protocol::{Conclusion, Error, Id, Note, Outbox, Part, Payload, Shape};
use tokio::time::{Interval, MissedTickBehavior};

use super::call::{Guard, overdue};
use super::error::object;

/// How often a stream that has nothing to say shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Shared by who answers and who sends it on.
pub(super) struct Answer {
    state: Mutex<State>,
    waker: AtomicWaker,
    room: Event,
    send_buffer: usize,
}

struct State {
    parts: VecDeque<String>,
    bytes: usize,
    end: Option<Result<String, Error>>,
    note: Option<Note>,
    deadline: Instant,
}

/// What comes next.
pub(super) enum Next {
    /// A part, as JSON text.
    Part(String),
    /// The result, or why there is none.
    End(Result<String, Error>),
}

impl Answer {
    pub(super) fn new(deadline: Instant, send_buffer: usize) -> Arc<Self> {
        let state = State { parts: VecDeque::new(), bytes: 0, end: None, note: None, deadline };
        Arc::new(Self {
            state: Mutex::new(state),
            waker: AtomicWaker::new(),
            room: Event::new(),
            send_buffer,
        })
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Next> {
        self.waker.register(context.waker());
        let mut state = self.state();
        if let Some(part) = state.parts.pop_front() {
            state.bytes -= part.len();
            drop(state);
            self.room.notify(usize::MAX);
            return Poll::Ready(Next::Part(part));
        }
        state.end.take().map_or(Poll::Pending, |end| Poll::Ready(Next::End(end)))
    }

    pub(super) fn deadline(&self) -> Instant {
        self.state().deadline
    }

    pub(super) fn note(&self) -> Option<Note> {
        self.state().note.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: Result<String, Error>) {
        self.state().end.get_or_insert(end);
        self.waker.wake();
    }
}

impl Outbox for Answer {
    fn answer(&self, _: u64, outcome: Result<Payload, Error>) {
        self.end(outcome.map(|payload| match payload {
            Payload::Owned(text) => text,
            Payload::Shared(text) => text.as_ref().to_owned(),
        }));
    }

    fn progress(&self, _: u64, _: String) {}

    fn part(&self, _: u64, _: Shape, value: String) -> Part {
        let mut state = self.state();
        if state.bytes > self.send_buffer / 2 {
            return Part::Full(value);
        }
        state.bytes += value.len();
        state.parts.push_back(value);
        drop(state);
        self.waker.wake();
        Part::Sent
    }

    fn room(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.room.listen())
    }

    fn note(&self, _: u64, note: &Note) {
        self.state().note = Some(note.clone());
    }

    fn conclude(&self, _: u64, _: Conclusion) {}

    fn notify(&self, _: u64, _: String) {}

    fn extend(&self, _: u64, deadline: Instant) {
        self.state().deadline = deadline;
    }

    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

/// The answer as server-sent events.
pub(super) struct Events {
    first: Option<Next>,
    answer: Arc<Answer>,
    alive: Interval,
    over: bool,
    /// The call stops when nobody reads these any more.
    _guard: Guard,
}

impl Events {
    pub(super) fn new(first: Next, answer: Arc<Answer>, guard: Guard) -> Self {
        let mut alive = tokio::time::interval(KEEP_ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        alive.reset();
        Self { first: Some(first), answer, alive, over: false, _guard: guard }
    }

    fn event(&mut self, next: Next) -> Bytes {
        let text = match next {
            Next::Part(part) => ["data: ", protocol::llm::chunk(&part).unwrap_or(&part), "\n\n"].concat(),
            Next::End(Ok(_)) => {
                self.over = true;
                "data: [DONE]\n\n".to_owned()
            }
            Next::End(Err(error)) => {
                self.over = true;
                format!("data: {}\n\ndata: [DONE]\n\n", object(&error))
            }
        };
        text.into()
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let next = match self.first.take() {
            Some(first) => Poll::Ready(first),
            None => self.answer.poll(context),
        };
        if let Poll::Ready(next) = next {
            self.alive.reset();
            return Poll::Ready(Some(Ok(self.event(next))));
        }
        if self.alive.poll_tick(context).is_ready() {
            if Instant::now() >= self.answer.deadline() {
                return Poll::Ready(Some(Ok(self.event(Next::End(Err(overdue()))))));
            }
            return Poll::Ready(Some(Ok(Bytes::from_static(b": alive\n\n"))));
        }
        Poll::Pending
    }
}
