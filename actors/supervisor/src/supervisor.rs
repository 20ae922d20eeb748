//! The supervisor actor: what it hears, and who answers. Starting and stopping are
//! in `children.rs`, the answer to an end in `restart.rs`.
//!
//! Children are started inside the handler, as in OTP: order is the point of it, and
//! `start_within` bounds it. What may take long without being ordered (a back-off, the
//! draining of one child on request) comes back as a message or an event instead.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use crate::child_spec::ChildSpec;
use crate::children::{Children, Turn};
use crate::ended::Ended;
use crate::handle::ChildError;
use crate::seat::Seat;
use crate::snapshot::{Node, SHOWN_MAX};
use crate::tree::Tree;

pub(crate) enum Msg {
    Start(Box<ChildSpec>, Reply),
    Stop(Arc<str>, Reply),
    Restart(Arc<str>, Reply),
    Children(RpcReplyPort<Vec<Node>>),
    /// A back-off is over.
    Due(Turn),
}

pub(crate) type Reply = RpcReplyPort<Result<(), ChildError>>;

pub(crate) struct Supervisor;

impl Actor for Supervisor {
    type Msg = Msg;
    type State = Children;
    type Arguments = (Arc<Seat>, Tree);

    /// Starts the fixed children, so that a supervisor that is there has all of them.
    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        (seat, tree): (Arc<Seat>, Tree),
    ) -> Result<Children, ActorProcessingErr> {
        // Whom a child asks that asks its supervisor as soon as it runs: it waits in the mailbox until all are up.
        if let Some(below) = &seat.below {
            below.spec.slot.fill(myself.clone(), seat.meter.clone());
        }
        let mut children = Children::new(myself, seat, tree);
        children.start_all().await?;
        Ok(children)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        message: Msg,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Start(spec, reply) => answer(reply, children.start_dynamic(*spec).await),
            Msg::Stop(id, reply) => children.stop_on_request(&id, reply),
            Msg::Restart(id, reply) => children.restart_on_request(&id, reply).await?,
            Msg::Children(reply) => answer(reply, children.nodes(SHOWN_MAX)),
            Msg::Due(turn) => children.due(turn).await?,
        }
        Ok(())
    }

    /// An `Err` from here means that this supervisor gave up, which is for its own
    /// supervisor to decide about.
    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Msg>,
        event: SupervisionEvent,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(who) = event.actor_id()
            && let Some(how) = Ended::from_event(event)
        {
            children.ended(who, how).await?;
        }
        Ok(())
    }

    /// ractor kills the children of an actor that stops; here they are drained first.
    async fn post_stop(
        &self,
        _myself: ActorRef<Msg>,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        children.stop_all().await;
        Ok(())
    }
}

/// Answers a caller, who may have gone away by now.
pub(crate) fn answer<T>(reply: RpcReplyPort<T>, answer: T) {
    let _ = reply.send(answer);
}

/// Tells all who waited for it that it is done.
pub(crate) fn done(replies: Vec<Reply>) {
    for reply in replies {
        answer(reply, Ok(()));
    }
}
