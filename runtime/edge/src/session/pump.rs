//! Moves frames between a wire and a line until one of them ends.
//!
//! One turn takes everything that can be taken (answers out, requests in) and then flushes once, so that a burst
//! of answers costs one write. With as many calls open as allowed, no request is taken: the kernel holds the
//! peer back, and nobody's requests are lost.

mod mcp;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::mcp::Client;
use bytes::Bytes;
use protocol::jsonrpc::{self, Message, Rejected, Request};
use protocol::mcp::is_mcp_method;
use protocol::{Caller, Cancel, Code, Error, Id, Incoming, Outbox, Reply};
use tokio::time::Sleep;

use super::line::{Line, Standing};
use super::wire::{Received, Wire};
use crate::Shared;

/// Frames handled in one turn before other tasks get theirs.
const TURN_MAX: usize = 128;

/// Room for answers that a connection at rest keeps.
const KEPT_MAX: usize = 64;

/// Room for requests that a connection at rest keeps.
const GATHERED_KEPT_MAX: usize = 16;

/// What every method of the native dialect begins with.
const NATIVE: &str = "mcp.";

/// Pings that may go unanswered.
const MISSED_MAX: u32 = 2;

pub(super) struct Pump<W> {
    wire: W,
    line: Arc<Line>,
    caller: Arc<Caller>,
    shared: Arc<Shared>,
    dialect: Dialect,
    tick: Pin<Box<Sleep>>,
    /// Answers on their way to the wire.
    sending: VecDeque<String>,
    /// Requests of this turn.
    gathered: Vec<Incoming>,
    /// What came while as many calls were open as allowed. Behind it nothing is read.
    ahead: Option<Received>,
    /// When anything was last received.
    heard: Instant,
    pings: u32,
    unflushed: bool,
    goodbye: Option<&'static str>,
}

/// What the peer speaks: its first request decides, and it may not mix.
enum Dialect {
    /// It has not said anything yet.
    Open,
    /// The original's.
    Native,
    /// The Model Context Protocol.
    Mcp(Arc<Client>),
}

/// How a turn's reading ended.
enum Flow {
    /// Something will wake us: bytes, room, an answer.
    Waiting,
    /// There may be more to read at once.
    More,
    /// The connection is over.
    Over,
}

impl<W> Drop for Pump<W> {
    fn drop(&mut self) {
        self.line.hang_up();
    }
}

impl<W: Wire> Pump<W> {
    pub(super) fn new(wire: W, line: Arc<Line>, caller: Arc<Caller>, shared: Arc<Shared>) -> Self {
        let tick = Box::pin(tokio::time::sleep(shared.limits.ping));
        let heard = Instant::now();
        Self {
            wire,
            line,
            caller,
            shared,
            dialect: Dialect::Open,
            tick,
            sending: VecDeque::new(),
            gathered: Vec::new(),
            ahead: None,
            heard,
            pings: 0,
            unflushed: false,
            goodbye: None,
        }
    }

    /// Moves frames until the connection is over.
    pub(super) async fn run(mut self: Box<Self>) {
        poll_fn(|context| self.turn(context)).await;
    }

    /// Ready when the connection is over.
    fn turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // What is answered from here on is seen by looking, not by waking: a task that wakes itself is queued anew,
        // and another thread is woken to take it.
        self.line.unregister();
        let Ok(standing) = self.send_waiting(context) else { return Poll::Ready(()) };
        if standing.stopping && self.goodbye.is_none() {
            self.goodbye = Some("server is stopping");
        }
        if let Some(why) = self.goodbye {
            self.line.register(context);
            return self.leave(why, self.line.standing(), context);
        }
        let flow = self.receive(standing.open, context);
        self.hand_over();
        match flow {
            Flow::Over => Poll::Ready(()),
            Flow::Waiting => {
                // First registered, then looked at: what is answered later wakes us.
                self.line.register(context);
                let Ok(standing) = self.send_waiting(context) else { return Poll::Ready(()) };
                // Nothing else tells that there is room again, or that it is time to go.
                let room = self.ahead.is_some() && standing.open < self.shared.limits.in_flight;
                if room || (standing.stopping && self.goodbye.is_none()) {
                    context.waker().wake_by_ref();
                }
                self.rest(context)
            }
            Flow::More => {
                context.waker().wake_by_ref();
                self.flush(context)
            }
        }
    }

    /// Takes to the wire what the line has to send. `Err`: the connection is over.
    fn send_waiting(&mut self, context: &mut Context<'_>) -> Result<Standing, ()> {
        let standing = self.line.take(&mut self.sending);
        if standing.overflowed {
            tracing::warn!(caller = self.caller.name, "connection closed: its peer does not read");
            return Err(());
        }
        self.send(context)?;
        Ok(standing)
    }

    /// Takes answers to the wire, as many as it has room for. `Err`: the peer is gone.
    fn send(&mut self, context: &mut Context<'_>) -> Result<(), ()> {
        let mut bytes = 0;
        while !self.sending.is_empty()
            && let Poll::Ready(ready) = self.wire.poll_ready(context)
        {
            ready?;
            if let Some(message) = self.sending.pop_front() {
                bytes += message.len();
                self.wire.send(message);
                self.unflushed = true;
            }
        }
        if bytes > 0 {
            self.line.sent(bytes);
        }
        if self.sending.is_empty() && self.sending.capacity() > KEPT_MAX {
            self.sending = VecDeque::new();
        }
        Ok(())
    }

    /// Says goodbye once everything that is open is answered.
    fn leave(&mut self, why: &'static str, standing: Standing, context: &mut Context<'_>) -> Poll<()> {
        if standing.outgoing {
            // It came while we looked elsewhere.
            context.waker().wake_by_ref();
        }
        if standing.open > 0 || standing.outgoing || !self.sending.is_empty() {
            return self.rest(context);
        }
        if ready!(self.wire.poll_ready(context)).is_ok() {
            self.wire.farewell(why);
            let _ = ready!(self.wire.poll_flush(context));
        }
        Poll::Ready(())
    }

    /// Reads until the wire has nothing more, or as many calls are open as allowed.
    fn receive(&mut self, open: usize, context: &mut Context<'_>) -> Flow {
        // One reading of the clock serves all that a turn receives, which takes less than a millisecond.
        let mut now = None;
        for _ in 0..TURN_MAX {
            // What this turn has opened is not answered before it ends; a notification counts for a moment too.
            let full = open + self.gathered.len() >= self.shared.limits.in_flight;
            if full && self.ahead.is_some() {
                return Flow::Waiting;
            }
            let received = match self.ahead.take() {
                Some(received) => received,
                None => match self.wire.poll_receive(context) {
                    Poll::Ready(received) => received,
                    Poll::Pending => return Flow::Waiting,
                },
            };
            match received {
                Received::Gone => return Flow::Over,
                // One is read even so: that is how the connection's end, and a pong, are seen.
                Received::Message(frame) if full && self.is_no_request(&frame) => self.take_frame(&frame),
                Received::Message(_) | Received::TooLong(_) if full => self.ahead = Some(received),
                received => {
                    self.heard = *now.get_or_insert_with(Instant::now);
                    self.take(received);
                }
            }
        }
        Flow::More
    }

    /// Hands the requests of this turn to the gateway, together.
    fn hand_over(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        self.shared.dispatch.dispatch_all(&mut self.gathered);
        if self.gathered.capacity() > GATHERED_KEPT_MAX {
            self.gathered = Vec::new();
        }
    }

    /// Nothing more can be moved now: flush, look at the clock, wait.
    fn rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.tick.as_mut().poll(context).is_ready() {
            if self.on_tick(context).is_ready() {
                return Poll::Ready(());
            }
        }
        self.flush(context)
    }

    fn flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.unflushed {
            match self.wire.poll_flush(context) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(())) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    fn take(&mut self, received: Received) {
        self.pings = 0;
        match received {
            Received::Message(frame) => self.take_frame(&frame),
            Received::TooLong(limit) => {
                let text = format!("Message longer than {limit} bytes (limits.frame_bytes).");
                self.line.refuse(&Id::Null, None, &Error::new(Code::TooLarge, text));
            }
            Received::Alive | Received::Gone => {}
        }
    }

    fn take_frame(&mut self, frame: &Bytes) {
        match jsonrpc::parse(frame, self.shared.limits.batch) {
            Message::Single(Err(rejected)) => self.take_rejected(rejected, frame),
            Message::Single(outcome) => self.take_request(outcome, None),
            Message::Batch(members) => {
                let answered =
                    |member: &Result<Request, Rejected>| member.as_ref().map_or(true, |r| r.id.is_some());
                let answers = members.iter().filter(|member| answered(member)).count();
                let batch = (answers > 0).then(|| self.line.open_batch(answers));
                for member in members {
                    self.take_request(member, batch);
                }
            }
        }
    }

    fn take_request(&mut self, outcome: Result<Request, Rejected>, batch: Option<u64>) {
        let request = match outcome {
            Ok(request) => request,
            Err(Rejected { id, error }) => return self.line.refuse(&id, batch, &error),
        };
        match &self.dialect {
            Dialect::Native if !is_mcp_method(&request.method) => {}
            Dialect::Mcp(_) if request.method.starts_with(NATIVE) => {
                let text =
                    "This connection speaks the Model Context Protocol; open another for the native dialect.";
                return self.refuse(&request, batch, text);
            }
            Dialect::Mcp(client) => {
                let client = Arc::clone(client);
                return self.take_mcp(&client, &request, batch);
            }
            Dialect::Open if is_mcp_method(&request.method) => {
                let client = self.speak_mcp();
                return self.take_mcp(&client, &request, batch);
            }
            Dialect::Open => self.dialect = Dialect::Native,
            Dialect::Native => {
                let text =
                    "This connection speaks the native dialect; open another for the Model Context Protocol.";
                return self.refuse(&request, batch, text);
            }
        }
        let Some((ticket, cancel, deadline)) = self.open(request.id.as_ref(), batch) else { return };
        let outbox: Arc<dyn Outbox> = Arc::clone(&self.line) as _;
        if self.gathered.capacity() == 0 {
            // One at a time is the rule; a connection at rest keeps room for one.
            self.gathered.reserve_exact(1);
        }
        self.gathered.push(Incoming {
            method: request.method,
            params: request.params,
            caller: Arc::clone(&self.caller),
            deadline,
            cancel,
            inputs: None,
            reply: Reply::new(outbox, ticket),
        });
    }

    /// Refuses a request. A notification is not answered, and in a batch no answer of it is waited for.
    fn refuse(&self, request: &Request, batch: Option<u64>, why: &str) {
        if let Some(id) = &request.id {
            self.line.refuse(id, batch, &Error::new(Code::InvalidRequest, why));
        }
    }

    /// Opens a call and sees to its deadline; one whose id is open already is refused.
    fn open(&mut self, id: Option<&Id>, batch: Option<u64>) -> Option<(u64, Cancel, Instant)> {
        let (cancel, deadline) = (Cancel::new(), self.heard + self.shared.limits.call);
        let Some(ticket) = self.line.open(id.cloned(), batch, deadline, cancel.clone()) else {
            let id = id.unwrap_or(&Id::Null);
            let error = Error::new(Code::InvalidRequest, format!("A call with id {id} is still under way."));
            self.line.refuse(id, batch, &error);
            return None;
        };
        // The tick that is armed sees to deadlines behind it; only an earlier one must move it.
        if self.tick.deadline().into_std() > deadline {
            self.tick.as_mut().reset(deadline.into());
        }
        Some((ticket, cancel, deadline))
    }

    /// Deadlines, pings, idleness. Ready when the connection is over.
    fn on_tick(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let mut next = now + self.shared.limits.ping;
        if let Some(deadline) = self.line.expire(now) {
            next = next.min(deadline);
        }
        let silent = now.duration_since(self.heard);
        if let Some(limit) = self.shared.limits.idle {
            if silent >= limit && self.line.standing().open == 0 && self.goodbye.is_none() {
                self.goodbye = Some("idle for too long");
                context.waker().wake_by_ref();
            }
            next = next.min(self.heard + limit.max(Duration::from_millis(1)));
        }
        if silent >= self.shared.limits.ping {
            // A pong may be waiting behind what is not read.
            if self.pings >= MISSED_MAX && self.ahead.is_none() {
                return Poll::Ready(());
            }
            if let Poll::Ready(Ok(())) = self.wire.poll_ready(context)
                && self.wire.ping()
            {
                self.pings += 1;
                self.unflushed = true;
            }
        }
        // Answers that `expire` wrote are taken in the next turn, which its waker has asked for.
        if self.line.standing().outgoing {
            context.waker().wake_by_ref();
        }
        self.tick.as_mut().reset(next.max(now + Duration::from_millis(1)).into());
        Poll::Pending
    }
}
