//! How a request reaches the actor that answers it, and how exactly one answer comes back.
//!
//! A [`Reply`] is an obligation: whoever holds it answers, and if its holder dies, dropping it answers, with an
//! error that says whether a retry is safe. So no call is ever lost in a mailbox of an actor that panicked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::catalog::Entry;
use crate::context::{Caller, Cancel, Context, Shape, Way};
use crate::error::{Code, Error};
use crate::jsonrpc::Id;
use crate::mcp::{Inputs, LogLevel, Toolbox};

/// A boxed future, as the object-safe traits here need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an edge knows about somebody who knocks.
#[derive(Clone)]
pub enum Credentials {
    /// A bearer token, in clear; compared by hash, never stored, never shown.
    Token(String, Way),
    /// The peer's user id on a UNIX socket (`SO_PEERCRED`).
    Uid(u32),
    /// A TCP peer without a token; `loopback` says whether its address is this machine's.
    Anonymous {
        /// Whether the peer's address is a loopback address.
        loopback: bool,
        /// The way in.
        way: Way,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(_, way) => write!(f, "Token(…, {way:?})"),
            Self::Uid(uid) => write!(f, "Uid({uid})"),
            Self::Anonymous { loopback, way } => write!(f, "Anonymous(loopback: {loopback}, {way:?})"),
        }
    }
}

/// The gateway as everybody else sees it. There is no second door.
pub trait Dispatch: Send + Sync + 'static {
    /// Establishes who is asking, or refuses with -32000.
    fn identify(&self, who: Credentials) -> BoxFuture<'_, Result<Arc<Caller>, Error>>;

    /// Hands over a request. The answer arrives at the request's [`Reply`], never here.
    fn dispatch(&self, request: Incoming);

    /// The tools that `caller` may call now; what is not among them cannot be called either.
    fn tools(&self, caller: &Arc<Caller>) -> Arc<Toolbox>;

    /// How many calls `caller` may make within its window, and how many of them at once now; none is no limit.
    fn allowance(&self, _caller: &Caller) -> Option<(u32, u32)> {
        None
    }

    /// Resolves when what anybody may call has changed.
    fn offer_changed(&self) -> BoxFuture<'static, ()>;

    /// Hands over requests that arrived together, in their order; their room is kept for the next ones.
    fn dispatch_all(&self, requests: &mut Vec<Incoming>) {
        for request in requests.drain(..) {
            self.dispatch(request);
        }
    }
}

/// A request on its way to the gateway.
#[derive(Debug)]
pub struct Incoming {
    /// The method asked for.
    pub method: Box<str>,
    /// Params, unread.
    pub params: Option<Box<RawValue>>,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// When the answer is no longer wanted.
    pub deadline: Instant,
    /// Raised when the answer is no longer wanted.
    pub cancel: Cancel,
    /// Who can be asked behind the caller, and what was answered; `None` when nobody can be.
    pub inputs: Option<Arc<Inputs>>,
    /// Where the answer goes.
    pub reply: Reply,
}

impl Incoming {
    /// Size of the params, in bytes.
    pub fn params_len(&self) -> usize {
        self.params.as_ref().map_or(0, |params| params.get().len())
    }

    /// Turns the request into a call of `entry`.
    pub fn into_call(self, entry: Arc<Entry>, request_id: u64) -> Call {
        let (context, params, reply) = self.split(&entry, request_id);
        Call { entry, context, params, reply }
    }

    /// What a call of `entry` is made of: its circumstances, its params, and where its answer goes.
    pub fn split(mut self, entry: &Entry, request_id: u64) -> (Context, Option<Box<RawValue>>, Reply) {
        if let Some(limit) = entry.limit {
            self.deadline = Instant::now() + limit;
            self.reply.outbox.extend(self.reply.ticket, self.deadline);
        }
        let shape = match &self.params {
            Some(raw) if raw.get().starts_with('{') => Shape::Named,
            _ => Shape::Original,
        };
        let context = Context {
            caller: self.caller,
            request_id,
            deadline: self.deadline,
            cancel: self.cancel,
            shape,
            inputs: self.inputs,
            connection: Some((self.reply.outbox.clone(), self.reply.ticket)),
        };
        (context, self.params, self.reply)
    }
}

/// An admitted call, addressed to the actor that answers it.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub entry: Arc<Entry>,
    /// Its circumstances.
    pub context: Context,
    /// Params, unread.
    pub params: Option<Box<RawValue>>,
    /// Where the answer goes.
    pub reply: Reply,
}

impl Call {
    /// Answers at once if that takes no waiting; else gives the call back, not begun. `alone`: nobody waits behind it.
    ///
    /// # Errors
    /// The call, when its method must wait.
    pub fn try_now(mut self, alone: bool) -> Result<(), Box<Self>> {
        self.reply.started = true;
        let outcome = self.entry.try_now(&self.context, self.params.as_deref(), alone);
        if let Some(outcome) = outcome {
            self.reply.send(outcome);
            return Ok(());
        }
        self.reply.started = false;
        Err(Box::new(self))
    }

    /// Runs the method and answers. Dropping the future answers too (see [`Reply`]).
    pub async fn run(self) {
        let Self { entry, context, params, mut reply } = self;
        reply.begin();
        let outcome = entry.invoke(context, params).await;
        reply.send(outcome);
    }
}

/// A result as JSON text, ready to be copied into an answer.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Made for this call.
    Owned(String),
    /// Made once for many calls.
    Shared(Arc<str>),
}

impl Payload {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Owned(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// An answer that is written already, as JSON text.
#[derive(Clone, Debug)]
pub enum Conclusion {
    /// What `result` is.
    Result(String),
    /// The same for everybody who asks.
    Common(Common),
    /// What `error` is.
    Error {
        /// The HTTP status that goes with it, where there is one.
        status: u16,
        /// The error object.
        text: String,
    },
}

/// A result that many are given as it stands, so that none of them needs a copy: its text, and the `}` that ends the
/// answer around it.
#[derive(Clone, Debug)]
pub struct Common(Arc<str>);

impl Common {
    /// Of a result's text.
    pub fn of(mut result: String) -> Self {
        result.push('}');
        Self(result.into())
    }

    /// The result's text.
    pub fn result(&self) -> &str {
        &self.0[..self.0.len() - 1]
    }
}

/// Everything behind the beginning of an answer.
impl AsRef<[u8]> for Common {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Conclusion {
    fn from(result: String) -> Self {
        Self::Result(result)
    }
}

impl Conclusion {
    /// The answer to the request `id`, which the conclusion's own text becomes: a long one is not written again. Of a
    /// common one its beginning, and what follows.
    pub fn into_answer(self, id: &Id) -> (String, Option<Common>) {
        let kind = if matches!(self, Self::Error { .. }) { "error" } else { "result" };
        let id = serde_json::to_string(id).expect("strings and numbers serialise to memory");
        let head = ["{\"jsonrpc\":\"2.0\",\"id\":", &id, ",\"", kind, "\":"].concat();
        match self {
            Self::Common(common) => (head, Some(common)),
            Self::Result(mut text) | Self::Error { mut text, .. } => {
                text.reserve(head.len() + 1);
                text.insert_str(0, &head);
                text.push('}');
                (text, None)
            }
        }
    }
}

/// What became of a part of a reply.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// It is on its way.
    Sent,
    /// There is no room for it now.
    Full(String),
    /// Nobody wants the answer any more.
    Gone,
    /// Parts are not what this caller takes; it gets the whole at the end.
    Unwanted,
}

/// What goes beside an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// What is left of a budget of tokens: how much there is, how much of it is left, and when it is whole again.
    Tokens {
        /// Tokens in all.
        limit: u64,
        /// Tokens left.
        remaining: u64,
        /// Until then, from now.
        resets_in: Duration,
    },
}

/// The sending side of a connection, as the rest of the process sees it.
pub trait Outbox: Send + Sync {
    /// Answers the call with this ticket; an answer to a ticket that is no longer open is dropped.
    fn answer(&self, ticket: u64, outcome: Result<Payload, Error>);

    /// Sends news about the call with this ticket; `value` is JSON text. May be dropped under pressure.
    fn progress(&self, ticket: u64, value: String);

    /// Sends a part of the reply to the call with this ticket ahead of its end; `value` is JSON text. It is never
    /// dropped: while there is no room it is given back.
    fn part(&self, _ticket: u64, _shape: Shape, _value: String) -> Part {
        Part::Unwanted
    }

    /// Resolves when there may be room for a part again, counted from this call.
    fn room(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Tells what goes beside the answer of the call with this ticket, where the dialect has a place for it.
    fn note(&self, _ticket: u64, _note: &Note) {}

    /// Answers the call with this ticket in the connection's own dialect.
    fn conclude(&self, ticket: u64, conclusion: Conclusion);

    /// Sends a message of the connection's own dialect that belongs to the call with this ticket. May be dropped
    /// under pressure.
    fn notify(&self, ticket: u64, message: String);

    /// Sends a log message that belongs to the call with this ticket, where the dialect has such.
    fn log(&self, _ticket: u64, _level: LogLevel, _data: &Value) {}

    /// Gives the call with this ticket until `deadline` instead.
    fn extend(&self, ticket: u64, deadline: Instant);

    /// Cancels the call that this connection sent under `id`; `false` when none is open.
    fn cancel(&self, id: &Id) -> bool;
}

/// Sees every finished call once: metrics and the audit trail.
pub trait Witness: Send + Sync {
    /// `call` ended with `outcome` (`None`: it succeeded with so many bytes).
    fn finished(&self, call: &Trail, took: Duration, bytes_out: usize, failed: Option<&Error>);
}

/// What the witness is told of a call.
#[derive(Clone)]
pub struct Trail {
    /// Who is told.
    pub witness: Arc<dyn Witness>,
    /// The method.
    pub entry: Arc<Entry>,
    /// Who asked.
    pub caller: Arc<Caller>,
    /// The call's id in the log.
    pub request_id: u64,
    /// Size of the params, in bytes.
    pub bytes_in: usize,
    /// The call's stop signal, which says why a call was abandoned.
    pub cancel: Cancel,
    /// When the gateway admitted it.
    pub admitted: Instant,
}

/// The obligation to answer one call, kept by whoever is working on it.
pub struct Reply {
    outbox: Arc<dyn Outbox>,
    ticket: u64,
    started: bool,
    answered: bool,
    trail: Option<Trail>,
}

impl Reply {
    /// An obligation towards the call `ticket` of the connection behind `outbox`.
    pub fn new(outbox: Arc<dyn Outbox>, ticket: u64) -> Self {
        Self { outbox, ticket, started: false, answered: false, trail: None }
    }

    /// From here on the end of the call is told to a witness.
    pub fn follow(&mut self, trail: Trail) {
        self.trail = Some(trail);
    }

    /// Work begins: if the holder dies from here on, the caller is told that it may have taken effect.
    pub fn begin(&mut self) {
        self.started = true;
    }

    /// Answers.
    pub fn send(mut self, outcome: Result<Payload, Error>) {
        self.finish(outcome);
    }

    fn finish(&mut self, mut outcome: Result<Payload, Error>) {
        self.answered = true;
        if let Some(trail) = self.trail.take() {
            outcome = outcome.map_err(|error| error.findable(trail.request_id));
            let bytes = outcome.as_ref().map_or(0, |payload| payload.as_str().len());
            trail.witness.finished(&trail, trail.admitted.elapsed(), bytes, outcome.as_ref().err());
        }
        self.outbox.answer(self.ticket, outcome);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let entry = self.trail.as_ref().map(|trail| trail.entry.clone());
        let who = entry.as_ref().map_or("gateway", |entry| &entry.service);
        let abandoned = self.trail.as_ref().and_then(|trail| trail.cancel.cause());
        let error = if abandoned.is_some() {
            Error::new(Code::Cancelled, "Abandoned: the caller no longer wanted the answer.")
        } else if self.started {
            Error::interrupted(who, entry.as_ref().is_some_and(|entry| entry.effect.repeatable()))
        } else {
            Error::unavailable(who)
        };
        self.finish(Err(error));
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("ticket", &self.ticket)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
