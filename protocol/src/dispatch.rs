//! How a request reaches the actor that answers it, and how exactly one answer comes back.
//!
//! A [`Reply`] is an obligation: whoever holds it answers, and if its holder dies, dropping it answers, with an
//! error that says whether a retry is safe. So no call is ever lost in a mailbox of an actor that panicked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use serde_json::value::RawValue;

use crate::catalog::Entry;
use crate::context::{Caller, Cancel, Context, Shape, Way};
use crate::error::{Code, Error};
use crate::jsonrpc::Id;

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
    /// Where the answer goes.
    pub reply: Reply,
}

impl Incoming {
    /// Turns the request into a call of `entry`.
    pub fn into_call(mut self, entry: Arc<Entry>, request_id: u64) -> Call {
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
            connection: Some((self.reply.outbox.clone(), self.reply.ticket)),
        };
        Call { entry, context, params: self.params, reply: self.reply }
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

/// The sending side of a connection, as the rest of the process sees it.
pub trait Outbox: Send + Sync {
    /// Answers the call with this ticket; an answer to a ticket that is no longer open is dropped.
    fn answer(&self, ticket: u64, outcome: Result<Payload, Error>);

    /// Sends news about the call with this ticket; `value` is JSON text. May be dropped under pressure.
    fn progress(&self, ticket: u64, value: String);

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
    trail: Option<Box<Trail>>,
}

impl Reply {
    /// An obligation towards the call `ticket` of the connection behind `outbox`.
    pub fn new(outbox: Arc<dyn Outbox>, ticket: u64) -> Self {
        Self { outbox, ticket, started: false, answered: false, trail: None }
    }

    /// From here on the end of the call is told to a witness.
    pub fn follow(&mut self, trail: Trail) {
        self.trail = Some(Box::new(trail));
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
            // What only the log has is found there under this id.
            if let Err(error) = &mut outcome
                && error.detail.is_some()
            {
                error.add_data(json!({ "request_id": format!("{:x}", trail.request_id) }));
            }
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
mod tests {
    use std::sync::Mutex;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::context::Cause;
    use crate::method::{Effect, Method, Run};
    use crate::testing::{block_on, caller, obligation};
    use crate::tier::Tier;

    /// A method whose effects are asked for.
    #[derive(Deserialize, JsonSchema)]
    struct Act {}

    impl Method for Act {
        const NAME: &'static str = "mcp.stage.act";
        const TIER: Tier = Tier::Free;
        const EFFECT: Effect = Effect::DESTROY;
        const RUN: Run = Run::Task;
        const LIMIT: Option<Duration> = Some(Duration::from_secs(600));

        type Reply = serde_json::Value;
        type Service = ();

        async fn call(self, context: &Context, (): &()) -> Result<Self::Reply, Error> {
            match context.shape {
                Shape::Named => Ok(json!("done")),
                Shape::Original => panic!("the actor dies"),
            }
        }
    }

    fn entry(effect: Effect) -> Arc<Entry> {
        let mut entry = crate::entry::<Act>(&());
        entry.effect = effect;
        Arc::new(entry)
    }

    /// Notes what it is told: the outcome's label, and its bytes.
    #[derive(Default)]
    struct Notes(Mutex<Vec<(&'static str, usize)>>);

    impl Witness for Notes {
        fn finished(&self, _: &Trail, _: Duration, bytes_out: usize, failed: Option<&Error>) {
            let label = failed.map_or("ok", |error| error.code.label());
            self.0.lock().unwrap().push((label, bytes_out));
        }
    }

    fn trail(effect: Effect) -> (Arc<Notes>, Trail) {
        let notes = Arc::new(Notes::default());
        let trail = Trail {
            witness: Arc::<Notes>::clone(&notes),
            entry: entry(effect),
            caller: caller(),
            request_id: 1,
            bytes_in: 0,
            cancel: Cancel::new(),
            admitted: Instant::now(),
        };
        (notes, trail)
    }

    #[test]
    fn an_answer_is_given_once_and_witnessed_once() {
        let (memory, mut reply) = obligation();
        let (notes, trail) = trail(Effect::READ);
        reply.follow(trail);
        reply.begin();
        reply.send(Ok(Payload::Shared("[1,2]".into())));
        assert_eq!(memory.lines(), ["7 [1,2]"]);
        assert_eq!(*notes.0.lock().unwrap(), [("ok", 5)]);
    }

    /// Drops an obligation in the state that `before` brings it to.
    #[track_caller]
    fn dropped(effect: Effect, before: impl FnOnce(&mut Reply, &Cancel), expected: &str, label: &'static str) {
        let (memory, mut reply) = obligation();
        let (notes, trail) = trail(effect);
        let cancel = trail.cancel.clone();
        reply.follow(trail);
        before(&mut reply, &cancel);
        drop(reply);
        assert_eq!(memory.lines(), [expected]);
        assert_eq!(*notes.0.lock().unwrap(), [(label, 0)]);
    }

    #[test]
    fn a_call_that_was_not_begun_can_be_made_again() {
        dropped(Effect::DESTROY, |_, _| {}, "7 !unavailable retry_safe=true", "unavailable");
    }

    #[test]
    fn a_call_that_was_begun_can_be_made_again_if_twice_is_once() {
        for (effect, safe) in [
            (Effect::READ, true),
            (Effect::ENSURE, true),
            (Effect::REPLACE, true),
            (Effect::ADD, false),
            (Effect::DESTROY, false),
        ] {
            let expected = format!("7 !interrupted retry_safe={safe}");
            dropped(effect, |reply, _| reply.begin(), &expected, "interrupted");
        }
    }

    #[test]
    fn a_call_that_nobody_wants_any_more_is_no_failure_of_ours() {
        let abandon = |reply: &mut Reply, cancel: &Cancel| {
            reply.begin();
            cancel.cancel(Cause::Disconnected);
        };
        dropped(Effect::DESTROY, abandon, "7 !cancelled retry_safe=null", "cancelled");
    }

    #[test]
    fn without_a_trail_it_is_the_gateway_that_went_away() {
        let (memory, reply) = obligation();
        drop(reply);
        assert_eq!(memory.lines(), ["7 !unavailable retry_safe=true"]);
    }

    fn incoming(params: &str, reply: Reply) -> Incoming {
        Incoming {
            method: Act::NAME.into(),
            params: (!params.is_empty()).then(|| serde_json::from_str(params).unwrap()),
            caller: caller(),
            deadline: Instant::now() + Duration::from_secs(30),
            cancel: Cancel::new(),
            reply,
        }
    }

    #[test]
    fn the_form_of_the_params_decides_the_form_of_the_result() {
        for (params, shape) in [("", Shape::Original), ("[]", Shape::Original), ("{}", Shape::Named)] {
            let (_, reply) = obligation();
            let call = incoming(params, reply).into_call(entry(Effect::READ), 1);
            assert_eq!(call.context.shape, shape, "{params:?}");
        }
    }

    #[test]
    fn a_method_with_a_limit_of_its_own_gets_it_and_its_answer() {
        let (memory, reply) = obligation();
        block_on(incoming("{}", reply).into_call(entry(Effect::READ), 1).run());
        assert_eq!(memory.lines(), ["7 +600s", r#"7 "done""#]);
    }

    #[test]
    fn a_call_whose_params_do_not_fit_is_answered_too() {
        let (memory, reply) = obligation();
        block_on(incoming("[1]", reply).into_call(entry(Effect::READ), 1).run());
        assert_eq!(memory.lines()[1], "7 !invalid_params retry_safe=null");
    }

    #[test]
    fn a_call_that_panics_is_answered_as_it_unwinds() {
        let (memory, reply) = obligation();
        let call = incoming("[]", reply).into_call(entry(Effect::READ), 1);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(call.run()))).unwrap_err();
        assert_eq!(memory.lines()[1], "7 !interrupted retry_safe=false");
    }

    #[test]
    fn a_token_is_never_shown() {
        let shown = format!("{:?}", Credentials::Token("secret".into(), Way::Ws));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
