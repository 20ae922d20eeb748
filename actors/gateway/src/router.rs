//! The router: takes every request of every edge, decides on it, and passes it on or refuses it.
//!
//! It waits for nothing. The gateway's own methods are answered from values in memory; all others go to the
//! actor that owns them, and the answer goes from there straight to the connection.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use protocol::dispatch::{Call, Trail};
use protocol::{Caller, Code, Error, Incoming, Witness};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::json;
use supervisor::Tasks;

use crate::gate::Gate;
use crate::rate::INSTANCE;
use crate::routes::{Destination, Route};

/// Routes requests.
pub(crate) struct Router;

/// What arrives: requests that were read from one connection in one turn. A burst is one message, because a
/// message costs about as much as the whole rest of routing.
pub(crate) enum Requests {
    One(Incoming),
    Burst(Vec<Incoming>),
}

/// One reading of both clocks, for all requests of a message.
#[derive(Clone, Copy)]
struct Moment {
    time: Timestamp,
    instant: Instant,
}

pub(crate) struct State {
    gate: Gate,
    tasks: Tasks,
}

impl Actor for Router {
    type Msg = Requests;
    type State = State;
    type Arguments = (Gate, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<Requests>,
        (gate, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { gate, tasks })
    }

    async fn handle(
        &self,
        _: ActorRef<Requests>,
        requests: Requests,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let now = Moment { time: Timestamp::now(), instant: Instant::now() };
        match requests {
            Requests::One(request) => state.take(request, now),
            Requests::Burst(requests) => {
                for request in requests {
                    state.take(request, now);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn take(&self, request: Incoming, now: Moment) {
        let Some(call) = self.gate.take_in(request, now) else { return };
        // All inline ones are answered here.
        if let Err(call) = call.try_now() {
            drop(self.tasks.spawn(call.run()));
        }
    }
}

impl Gate {
    /// Routes, admits and passes on; returns a call that the gateway answers itself.
    fn take_in(&self, request: Incoming, now: Moment) -> Option<Call> {
        let table = self.0.routes.load();
        let Some(route) = table.get(&request.method) else {
            let error = Error::method_not_found(&request.method);
            request.reply.send(Err(error));
            return None;
        };
        let call = self.admit(request, route, now)?;
        match &route.to {
            Destination::Here => Some(call),
            Destination::There(slot) => {
                // Undelivered, the call is dropped, and its reply says that nobody was there.
                drop(slot.cast(call));
                None
            }
        }
    }

    fn admit(&self, mut request: Incoming, route: &Route, now: Moment) -> Option<Call> {
        let request_id = self.next_request_id();
        let trail = Trail {
            witness: Arc::clone(&self.0.audit) as Arc<dyn Witness>,
            entry: Arc::clone(&route.entry),
            caller: Arc::clone(&request.caller),
            request_id,
            bytes_in: request.params.as_ref().map_or(0, |params| params.get().len()),
            cancel: request.cancel.clone(),
            admitted: now.instant,
        };
        match self.check(&mut request, route, now.time) {
            Ok(()) => {
                request.reply.follow(trail);
                Some(request.into_call(Arc::clone(&route.entry), request_id))
            }
            Err(error) => {
                self.0.audit.refused(&trail, &error);
                request.reply.send(Err(error));
                None
            }
        }
    }

    /// Rights first, then room, then rate: a refused call is not billed.
    fn check(&self, request: &mut Incoming, route: &Route, now: Timestamp) -> Result<(), Error> {
        let policy = self.0.policy.load();
        let tier = policy.tier_of(&request.caller, now);
        if request.caller.tier != tier {
            request.caller = Arc::new(Caller { tier: tier.to_owned(), ..Caller::clone(&request.caller) });
        }
        let caller = &request.caller;
        policy.admit(caller, &route.entry, now)?;
        if !self.0.audit.enter(self.0.in_flight_max) {
            return Err(overloaded(self.0.in_flight_max));
        }
        if !route.entry.billed {
            return Ok(());
        }
        let rates = self.0.rates.load();
        // The caller's own bucket first: one that has used it up must not empty everybody's.
        let billed =
            rates.admit(&caller.tier, &caller.name).and_then(|()| rates.admit(policy.ceiling(now), INSTANCE));
        if billed.is_err() {
            self.0.audit.leave();
        }
        billed
    }
}

fn overloaded(max: usize) -> Error {
    Error::new(Code::Overloaded, format!("{max} calls are under way on this instance. Try again shortly."))
        .with_data(json!({ "retry_after_ms": 100, "retry_safe": true, "limit": max }))
}
