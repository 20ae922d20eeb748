//! The actor that every service is: it takes calls as messages and answers each where it blocks nobody.
//!
//! A method says where it runs ([`protocol::Run`]): at once in the handler, in a task of the actor's, or on a
//! thread that may wait for the disk. The actor itself never waits, so a slow call never blocks the next one.
//! It holds no state of the service: that is in the handle that the methods were declared with.

mod answer;
mod chore;
mod lanes;
mod reader;
mod sole;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

use protocol::Run;
use protocol::dispatch::Call;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildContext, ChildSpec, Meter, Slot, Tasks};
use tracing::Instrument as _;

pub use crate::answer::{Outcome, once, once_with_news};
pub use crate::chore::chore;
use crate::lanes::Lanes;
pub use crate::reader::reader;
pub use crate::sole::sole;

/// How long calls under way may finish when the service is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Answers the calls of one service.
pub struct Service;

/// What the actor owns: the work that it has begun.
pub struct State {
    tasks: Tasks,
    meter: Meter,
    lanes: Arc<Lanes>,
}

/// The service as a child of a supervisor. `slot` is where the gateway sends its calls.
pub fn child(id: &str, slot: &Slot<Call>) -> ChildSpec {
    ChildSpec::worker(id, slot, |context: &ChildContext| (Service, (context.tasks(), context.meter.clone())))
        .shutdown(DRAIN + Duration::from_secs(1))
}

impl Actor for Service {
    type Msg = Call;
    type State = State;
    type Arguments = (Tasks, Meter);

    async fn pre_start(
        &self,
        _: ActorRef<Call>,
        (tasks, meter): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { tasks, meter, lanes: Lanes::new() })
    }

    async fn handle(
        &self,
        _: ActorRef<Call>,
        call: Call,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Err(call) = call.try_now(state.meter.depth() == 0) else { return Ok(()) };
        match call.entry.run {
            // Nothing is declared inline that cannot be answered at once.
            Run::Inline | Run::Blocking => Lanes::submit(&state.lanes, *call, state.meter.begin()),
            Run::Task => {
                let (busy, span) = (state.meter.begin(), span(&call));
                let work = async move {
                    run_until_cancelled(*call).await;
                    drop(busy);
                };
                state.tasks.spawn(work.instrument(span));
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Call>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.tasks.join_all(DRAIN).await;
        state.lanes.drained(DRAIN).await;
        Ok(())
    }
}

/// What every log line of a call carries.
pub(crate) fn span(call: &Call) -> tracing::Span {
    let request_id = format_args!("{:x}", call.context.request_id);
    tracing::info_span!("call", %request_id, method = call.entry.name)
}

/// Runs a call in a task; when nobody wants its answer any more it is dropped where it waits.
pub async fn run_until_cancelled(call: Call) {
    let cancel = call.context.cancel.clone();
    tokio::select! {
        () = call.run() => {}
        _ = cancel.cancelled() => {}
    }
}
