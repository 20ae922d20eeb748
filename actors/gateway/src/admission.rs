//! Admission: who may do what is decided where the request came in, by the thread that read it.
//!
//! It waits for nothing: what it decides on are values in memory. The gateway's own methods are answered from them
//! at once; every other call becomes a message to the actor that owns its method, and the answer goes from there
//! straight to the connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use protocol::dispatch::Trail;
use protocol::{Caller, Code, Error, Incoming, Witness};
use serde_json::json;

use crate::audit::{Seen, Tally};
use crate::gate::Gate;
use crate::policy::Policy;
use crate::rate::INSTANCE;
use crate::routes::{Destination, Route, Table};

/// Requests that came together, and what they have in common: what was in force, one reading of both clocks, and
/// their numbers in the log.
struct Turn<'a> {
    gate: &'a Gate,
    table: &'a Table,
    policy: &'a Policy,
    time: Timestamp,
    instant: Instant,
    next_id: u64,
    tally: Tally<'a>,
    /// Who was last let in, and to what: mostly the next one is the same, and then nothing has changed.
    last: Option<LetIn<'a>>,
}

struct LetIn<'a> {
    /// As the connection has it.
    came: Arc<Caller>,
    /// With the tier that it has now.
    caller: Arc<Caller>,
    route: &'a Route,
}

impl Gate {
    /// Admits requests that came together, in their order.
    pub(crate) fn take_in(&self, requests: impl ExactSizeIterator<Item = Incoming>) {
        let count = requests.len();
        let mut turn = Turn {
            gate: self,
            table: &self.0.routes.load(),
            policy: &self.0.policy.load(),
            time: Timestamp::now(),
            instant: Instant::now(),
            next_id: self.next_request_ids(count as u64),
            tally: self.0.audit.tally(count),
            last: None,
        };
        for request in requests {
            // One that panics loses its own call, whose reply says so, and nobody else's; the panic hook has logged it.
            let _ = catch_unwind(AssertUnwindSafe(|| turn.take_in(request)));
        }
    }
}

impl<'a> Turn<'a> {
    /// Answers a request or passes it on.
    fn take_in(&mut self, mut request: Incoming) {
        let again = self.last.as_ref().map(|last| last.route);
        let again = again.filter(|route| *route.entry.name == *request.method);
        let Some(route) = again.or_else(|| self.table.get(&request.method)) else {
            let error = Error::method_not_found(&request.method);
            return request.reply.send(Err(error));
        };
        let request_id = self.next_id;
        self.next_id += 1;
        if let Err(error) = self.check(&mut request, route) {
            let seen = Seen {
                entry: &route.entry,
                caller: &request.caller,
                request_id,
                bytes_in: request.params_len(),
                cancelled: request.cancel.cause(),
            };
            self.gate.0.audit.refused(&seen, &error);
            return request.reply.send(Err(error));
        }
        match &route.to {
            Destination::Here => self.answer(request, route, request_id),
            Destination::There(slot) => {
                let entry = Arc::clone(&route.entry);
                request.reply.follow(Trail {
                    witness: Arc::clone(&self.gate.0.audit) as Arc<dyn Witness>,
                    entry: Arc::clone(&entry),
                    caller: Arc::clone(&request.caller),
                    request_id,
                    bytes_in: request.params_len(),
                    cancel: request.cancel.clone(),
                    admitted: self.instant,
                });
                // Undelivered, the call is dropped, and its reply says that nobody was there.
                drop(slot.cast(request.into_call(entry, request_id)));
            }
        }
    }

    /// Answers for the gateway, at once: a call that nobody can see under way needs no trail of its own.
    fn answer(&mut self, request: Incoming, route: &Route, request_id: u64) {
        let bytes_in = request.params_len();
        let (context, params, mut reply) = request.split(&route.entry, request_id);
        reply.begin();
        let outcome = route.entry.try_now(&context, params.as_deref(), true);
        let outcome =
            outcome.unwrap_or_else(|| Err(Error::internal("a method of the gateway's own has waited")));
        let seen = Seen {
            entry: &route.entry,
            caller: &context.caller,
            request_id,
            bytes_in,
            cancelled: context.cancel.cause(),
        };
        let bytes_out = outcome.as_ref().map_or(0, |payload| payload.as_str().len());
        self.tally.add(&seen, self.instant, bytes_out, outcome.as_ref().err());
        reply.send(outcome.map_err(|error| error.findable(request_id)));
    }

    /// Gives the caller the tier that it has now, and looks whether it may.
    fn let_in(&mut self, request: &mut Incoming, route: &'a Route) -> Result<(), Error> {
        if let Some(last) = &self.last
            && Arc::ptr_eq(&last.came, &request.caller)
            && std::ptr::eq(last.route, route)
        {
            if !Arc::ptr_eq(&last.came, &last.caller) {
                request.caller = Arc::clone(&last.caller);
            }
            return Ok(());
        }
        let came = self.tally.several().then(|| Arc::clone(&request.caller));
        let tier = self.policy.tier_of(&request.caller, self.time);
        if request.caller.tier != tier {
            request.caller = Arc::new(Caller { tier: tier.to_owned(), ..Caller::clone(&request.caller) });
        }
        self.policy.admit(&request.caller, &route.entry, self.time)?;
        self.last = came.map(|came| LetIn { came, caller: Arc::clone(&request.caller), route });
        Ok(())
    }

    /// Rights first, then room, then rate: a refused call is not billed.
    fn check(&mut self, request: &mut Incoming, route: &'a Route) -> Result<(), Error> {
        let (gate, policy, now) = (&self.gate.0, self.policy, self.time);
        self.let_in(request, route)?;
        let caller = &request.caller;
        // What is answered at once takes no room.
        let takes_room = matches!(route.to, Destination::There(_));
        if takes_room && !gate.audit.enter(gate.in_flight_max) {
            return Err(overloaded(gate.in_flight_max));
        }
        if !route.entry.billed {
            return Ok(());
        }
        let rates = gate.rates.load();
        // The caller's own bucket first: one that has used it up must not empty everybody's.
        let billed =
            rates.admit(&caller.tier, &caller.name).and_then(|()| rates.admit(policy.ceiling(now), INSTANCE));
        if billed.is_err() && takes_room {
            gate.audit.leave();
        }
        billed
    }
}

fn overloaded(max: usize) -> Error {
    Error::new(Code::Overloaded, format!("{max} calls are under way on this instance. Try again shortly."))
        .with_data(json!({ "retry_after_ms": 100, "retry_safe": true, "limit": max }))
}
