//! What stands around every supervised actor: it meters, and it can be made to
//! panic on demand.
//!
//! The wrapper's message type is the actor's own. An envelope would be simpler to
//! count, but ractor checks message types at run time: an actor's `myself.cast(..)`
//! would reach an envelope's mailbox as a foreign type, and be lost.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::meter::Meter;

/// An actor with a meter around it.
pub(crate) struct Metered<A> {
    pub(crate) actor: A,
    pub(crate) meter: Meter,
}

/// What a panic on demand says.
const INJECTED: &str = "a panic was asked for";

/// Makes the actor in `cell` panic as soon as it is done with what it has in hand.
///
/// News of children comes to every actor, whatever its message type. So the charge
/// is a child that is born under the victim, and whose birth the victim's wrapper
/// cannot bear.
pub(crate) async fn panic(cell: ActorCell) {
    // It fails to start only under an actor that is already ending.
    let _ = Actor::spawn_linked(None, Charge, (), cell).await;
}

struct Charge;

/// The charge's message type, by which it is known. There is no such message.
enum NoMessage {}

// === impl Metered ===

impl<A: Actor> Actor for Metered<A> {
    type Msg = A::Msg;
    /// None when it has stopped. ractor would send the state along with the news of the
    /// end, and a port it holds would stay taken until the supervisor gets to read that.
    type State = Option<A::State>;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<A::Msg>,
        arguments: A::Arguments,
    ) -> Result<Option<A::State>, ActorProcessingErr> {
        self.actor.pre_start(myself, arguments).await.map(Some)
    }

    async fn post_start(
        &self,
        myself: ActorRef<A::Msg>,
        state: &mut Option<A::State>,
    ) -> Result<(), ActorProcessingErr> {
        self.actor.post_start(myself, there(state)).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<A::Msg>,
        state: &mut Option<A::State>,
    ) -> Result<(), ActorProcessingErr> {
        let outcome = self.actor.post_stop(myself, there(state)).await;
        *state = None;
        outcome
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut Option<A::State>,
    ) -> Result<(), ActorProcessingErr> {
        let _handling = self.meter.take();
        let outcome = self.actor.handle(myself, message, there(state)).await;
        if outcome.is_err() {
            self.meter.fail();
        }
        outcome
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut Option<A::State>,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorStarted(child) = &event
            && child.is_message_type_of::<NoMessage>() == Some(true)
        {
            self.meter.fail();
            panic!("{INJECTED}");
        }
        self.actor.handle_supervisor_evt(myself, event, there(state)).await
    }
}

fn there<S>(state: &mut Option<S>) -> &mut S {
    state.as_mut().expect("it is given up in post_stop, which ractor calls last")
}

// === impl Charge ===

impl Actor for Charge {
    type Msg = NoMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<NoMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
