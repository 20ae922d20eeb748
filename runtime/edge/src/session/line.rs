//! A connection as the rest of the process sees it: which calls are open, and what is to be sent.
//!
//! Whoever answers a call writes the answer here, in its own thread, and wakes the pump. An answer to a call
//! that is no longer open (cancelled, out of time) is dropped, so every request is answered exactly once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use event_listener::Event;
use futures_util::task::AtomicWaker;
use protocol::dispatch::{BoxFuture, Part};
use protocol::jsonrpc::{write_conclusion, write_error, write_progress, write_result, write_unaddressed};
use protocol::{Cancel, Cause, Code, Conclusion, Error, Id, Outbox, Payload, Shape};

use crate::Limits;

/// Shared by the pump, the session's actor and everybody who owes it an answer.
pub(crate) struct Line {
    state: Mutex<State>,
    waker: AtomicWaker,
    /// Told whenever something was sent: whoever has a part of an answer waits for it.
    room: Event,
    send_buffer: usize,
    result_max: usize,
    call_ms: u64,
    /// The peer speaks the Model Context Protocol, which has other errors.
    mcp: AtomicBool,
}

#[derive(Default)]
struct State {
    open: Vec<Open>,
    batches: Vec<Batch>,
    outgoing: VecDeque<String>,
    outgoing_bytes: usize,
    tickets: u64,
    overflowed: bool,
    stopping: bool,
}

/// A call that has not been answered.
struct Open {
    ticket: u64,
    /// `None` for a notification.
    id: Option<Id>,
    batch: Option<u64>,
    deadline: Instant,
    cancel: Cancel,
}

/// A batch whose answers are gathered.
struct Batch {
    number: u64,
    missing: usize,
    text: String,
}

/// What the pump finds out about a line.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) open: usize,
    pub(crate) outgoing: bool,
    pub(crate) overflowed: bool,
    pub(crate) stopping: bool,
}

impl Line {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            waker: AtomicWaker::new(),
            room: Event::new(),
            send_buffer: limits.send_buffer,
            result_max: limits.result,
            call_ms: u64::try_from(limits.call.as_millis()).unwrap_or(u64::MAX),
            mcp: AtomicBool::new(false),
        })
    }

    /// Opens a call; `None` when a call of that id is open already.
    pub(crate) fn open(
        &self,
        id: Option<Id>,
        batch: Option<u64>,
        deadline: Instant,
        cancel: Cancel,
    ) -> Option<u64> {
        let mut state = self.state();
        if id.is_some() && id != Some(Id::Null) && state.open.iter().any(|open| open.id == id) {
            return None;
        }
        state.tickets += 1;
        let ticket = state.tickets;
        if state.open.capacity() == 0 {
            // One at a time is the rule; a connection at rest keeps room for one.
            state.open.reserve_exact(1);
        }
        state.open.push(Open { ticket, id, batch, deadline, cancel });
        Some(ticket)
    }

    /// Opens a batch that will have `answers` answers.
    pub(crate) fn open_batch(&self, answers: usize) -> u64 {
        let mut state = self.state();
        state.tickets += 1;
        let number = state.tickets;
        state.batches.push(Batch { number, missing: answers, text: String::new() });
        number
    }

    /// From here on the peer speaks the Model Context Protocol.
    pub(crate) fn speak_mcp(&self) {
        self.mcp.store(true, Ordering::Relaxed);
    }

    /// Takes a call back: its work stops, and nothing more is sent for it.
    pub(crate) fn withdraw(&self, id: &Id) {
        let mut state = self.state();
        if let Some(at) = state.open.iter().position(|open| open.id.as_ref() == Some(id)) {
            state.open.swap_remove(at).cancel.cancel(Cause::Cancelled);
            drop(state);
            self.waker.wake();
        }
    }

    /// Answers what was never opened: something that is no request.
    pub(crate) fn refuse(&self, id: &Id, batch: Option<u64>, error: &Error) {
        let mut text = String::new();
        if *id == Id::Null && self.mcp.load(Ordering::Relaxed) {
            write_unaddressed(&mut text, error);
        } else {
            write_error(&mut text, id, error);
        }
        self.state().put(text, batch, self.send_buffer);
        self.waker.wake();
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing()
    }

    /// How the line stands, and everything that is to be sent, added to `sending`. What is taken counts as
    /// waiting until [`Line::sent`] says otherwise.
    pub(crate) fn take(&self, sending: &mut VecDeque<String>) -> Standing {
        let mut state = self.state();
        if sending.is_empty() {
            std::mem::swap(&mut state.outgoing, sending);
        } else {
            sending.append(&mut state.outgoing);
        }
        state.standing()
    }

    /// So many bytes of what was taken no longer wait.
    pub(crate) fn sent(&self, bytes: usize) {
        self.state().outgoing_bytes -= bytes;
        self.room.notify(usize::MAX);
    }

    /// Nobody is to be woken: whoever would be looks by himself.
    pub(crate) fn unregister(&self) {
        drop(self.waker.take());
    }

    /// Whom to wake when there is something to do.
    pub(crate) fn register(&self, context: &std::task::Context<'_>) {
        self.waker.register(context.waker());
    }

    /// Answers every call whose time is up and tells its work to stop; returns the next deadline.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        while let Some(at) = state.open.iter().position(|open| open.deadline <= now) {
            let open = state.open.swap_remove(at);
            open.cancel.cancel(Cause::Deadline);
            let mut error = Error::deadline(self.call_ms);
            if self.mcp.load(Ordering::Relaxed) {
                error.foreign = Some(Code::Internal.number());
            }
            state.fail(&open, &error, self.send_buffer);
        }
        state.open.iter().map(|open| open.deadline).min()
    }

    /// No further requests; the pump ends when what is open is answered.
    pub(crate) fn stop(&self) {
        self.state().stopping = true;
        self.waker.wake();
    }

    /// The connection is gone: all work for it stops.
    pub(crate) fn hang_up(&self) {
        let mut state = self.state();
        let cause = if state.stopping { Cause::Shutdown } else { Cause::Disconnected };
        for open in state.open.drain(..) {
            open.cancel.cancel(cause);
        }
        state.outgoing.clear();
        state.batches.clear();
        drop(state);
        self.room.notify(usize::MAX);
    }

    fn bounded(&self, payload: Payload) -> Result<Payload, Error> {
        let (size, max) = (payload.as_str().len(), self.result_max);
        if size <= max {
            return Ok(payload);
        }
        let text = format!("The result has {size} bytes; {max} are allowed. Ask for less of it at once.");
        Err(Error::new(Code::TooLarge, text))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for Line {
    fn answer(&self, ticket: u64, outcome: Result<Payload, Error>) {
        // Written before the lock is taken would be better still, but the id is behind it; a copy of some
        // kilobytes is all that waits.
        let mut state = self.state();
        let Some(at) = state.open.iter().position(|open| open.ticket == ticket) else { return };
        let open = state.open.swap_remove(at);
        if let Some(id) = &open.id {
            let outcome = outcome.and_then(|payload| self.bounded(payload));
            let mut text = String::with_capacity(64 + outcome.as_ref().map_or(128, |p| p.as_str().len()));
            match &outcome {
                Ok(payload) => write_result(&mut text, id, payload.as_str()),
                Err(error) => write_error(&mut text, id, error),
            }
            state.put(text, open.batch, self.send_buffer);
        }
        drop(state);
        self.waker.wake();
    }

    fn progress(&self, ticket: u64, value: String) {
        let mut state = self.state();
        // News is dropped long before answers are: a slow reader loses the former, not the connection.
        if state.outgoing_bytes > self.send_buffer / 2 {
            return;
        }
        let Some(Some(id)) = state.open.iter().find(|open| open.ticket == ticket).map(|open| &open.id) else {
            return;
        };
        let mut text = String::with_capacity(96 + value.len());
        write_progress(&mut text, id, &value);
        state.put(text, None, self.send_buffer);
        drop(state);
        self.waker.wake();
    }

    fn part(&self, ticket: u64, shape: Shape, value: String) -> Part {
        if self.mcp.load(Ordering::Relaxed) {
            return Part::Unwanted;
        }
        let mut state = self.state();
        let Some(open) = state.open.iter().find(|open| open.ticket == ticket) else { return Part::Gone };
        // A notification has no id under which parts could be told apart.
        let Some(id) = &open.id else { return Part::Unwanted };
        if state.outgoing_bytes > self.send_buffer / 2 {
            return Part::Full(value);
        }
        let mut text = String::with_capacity(96 + value.len());
        match shape {
            // The original answered one call several times.
            Shape::Original => write_result(&mut text, id, &value),
            Shape::Named => write_progress(&mut text, id, &value),
        }
        state.put(text, None, self.send_buffer);
        drop(state);
        self.waker.wake();
        Part::Sent
    }

    fn room(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.room.listen())
    }

    fn conclude(&self, ticket: u64, conclusion: Conclusion) {
        let mut state = self.state();
        let Some(at) = state.open.iter().position(|open| open.ticket == ticket) else { return };
        let open = state.open.swap_remove(at);
        if let Some(id) = &open.id {
            let size = match &conclusion {
                Conclusion::Result(text) | Conclusion::Error { text, .. } => text.len(),
                Conclusion::Common(common) => common.result().len(),
            };
            let mut text = String::with_capacity(64 + size);
            write_conclusion(&mut text, id, &conclusion);
            state.put(text, open.batch, self.send_buffer);
        }
        drop(state);
        self.waker.wake();
    }

    fn notify(&self, ticket: u64, message: String) {
        let mut state = self.state();
        let open = state.open.iter().any(|open| open.ticket == ticket);
        if !open || state.outgoing_bytes > self.send_buffer / 2 {
            return;
        }
        state.put(message, None, self.send_buffer);
        drop(state);
        self.waker.wake();
    }

    fn extend(&self, ticket: u64, deadline: Instant) {
        if let Some(open) = self.state().open.iter_mut().find(|open| open.ticket == ticket) {
            open.deadline = deadline;
        }
    }

    fn cancel(&self, id: &Id) -> bool {
        let mut state = self.state();
        let Some(at) = state.open.iter().position(|open| open.id.as_ref() == Some(id)) else {
            return false;
        };
        let open = state.open.swap_remove(at);
        open.cancel.cancel(Cause::Cancelled);
        state.fail(&open, &Error::cancelled(), self.send_buffer);
        drop(state);
        self.waker.wake();
        true
    }
}

impl mcp::Channel for Line {
    fn push(&self, message: String) {
        let mut state = self.state();
        if state.outgoing_bytes > self.send_buffer / 2 {
            return;
        }
        state.put(message, None, self.send_buffer);
        drop(state);
        self.waker.wake();
    }
}

impl State {
    fn standing(&self) -> Standing {
        Standing {
            open: self.open.len(),
            outgoing: !self.outgoing.is_empty(),
            overflowed: self.overflowed,
            stopping: self.stopping,
        }
    }

    fn fail(&mut self, open: &Open, error: &Error, send_buffer: usize) {
        if let Some(id) = &open.id {
            let mut text = String::new();
            write_error(&mut text, id, error);
            self.put(text, open.batch, send_buffer);
        }
    }

    /// Queues a message, or adds it to its batch and queues that once it is whole.
    fn put(&mut self, text: String, batch: Option<u64>, send_buffer: usize) {
        // The pump is about to close; what is answered until then must not pile up.
        if self.overflowed {
            return;
        }
        let text = match batch.and_then(|number| self.batches.iter().position(|b| b.number == number)) {
            None => text,
            Some(at) => {
                let batch = &mut self.batches[at];
                batch.text.push(if batch.text.is_empty() { '[' } else { ',' });
                batch.text.push_str(&text);
                batch.missing -= 1;
                if batch.missing > 0 {
                    self.overflowed |= batch.text.len() > send_buffer;
                    return;
                }
                let mut whole = self.batches.swap_remove(at).text;
                whole.push(']');
                whole
            }
        };
        // One answer may be larger than the buffer; it is what waits before it that counts.
        self.overflowed |= self.outgoing_bytes > send_buffer;
        if self.overflowed {
            return;
        }
        self.outgoing_bytes += text.len();
        self.outgoing.push_back(text);
    }
}

#[cfg(test)]
mod tests;
