//! Where others find an actor. A restarted actor is a new `ActorRef` and the old
//! one stays dead, so nobody holds refs: they hold a slot, which the supervisor
//! refills at every start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ractor::{ActorRef, Message, MessagingErr, RpcReplyPort};
use tokio::sync::oneshot;
use tokio::time;

use crate::meter::Meter;

/// A lasting address of an actor that may come and go. Clones are the same slot.
pub struct Slot<M>(Arc<ArcSwapOption<Line<M>>>);

/// The way to the actor that is there now.
struct Line<M> {
    actor: ActorRef<M>,
    meter: Meter,
}

/// A message that reached nobody, given back.
#[derive(thiserror::Error)]
#[error("{reason}")]
pub struct Undelivered<M> {
    /// The message.
    pub message: M,
    /// Why it could not be delivered.
    pub reason: Reason,
}

/// Why a message could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No actor is there: not started yet, being restarted, or stopped for good.
    #[error("no actor is there")]
    Vacant,
    /// An actor is there, but it has ended or takes no more messages.
    #[error("the actor has ended")]
    Stopped,
}

/// A question without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It was not delivered: nothing happened, asking again later is safe.
    #[error("the actor is not available")]
    Unavailable,
    /// It was delivered, and the actor ended or dropped it: it may have had effects.
    #[error("the actor ended before it answered")]
    Died,
    /// No answer came in time: it may yet have effects.
    #[error("the actor did not answer in time")]
    TimedOut,
}

/// A slot whose message type nobody needs to know.
pub(crate) trait Vacate: Send + Sync {
    fn vacate(&self);
}

// === impl Slot ===

impl<M: Message> Slot<M> {
    /// A slot with nobody in it yet. The supervisor fills it, by way of a `ChildSpec`.
    pub fn vacant() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }

    /// Whether an actor is there. It may have ended since it was put there.
    pub fn is_filled(&self) -> bool {
        self.0.load().is_some()
    }

    /// Sends a message, or gives it back at once.
    pub fn cast(&self, message: M) -> Result<(), Undelivered<M>> {
        let line = self.0.load();
        let Some(Line { actor, meter }) = line.as_deref() else {
            return Err(Undelivered { message, reason: Reason::Vacant });
        };
        meter.sent();
        match actor.send_message(message) {
            Ok(()) => Ok(()),
            Err(MessagingErr::SendErr(message)) => {
                meter.unsent();
                Err(Undelivered { message, reason: Reason::Stopped })
            }
            Err(MessagingErr::ChannelClosed | MessagingErr::InvalidActorType) => {
                unreachable!("an open channel reports SendErr, and a slot is filled with its own actor type")
            }
        }
    }

    /// Asks, and waits for the answer for at most `deadline`.
    pub async fn call<T, F>(&self, ask: F, deadline: Duration) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<T>) -> M,
    {
        let (reply, answer) = oneshot::channel();
        self.cast(ask((reply, deadline).into())).map_err(|_| CallError::Unavailable)?;
        match time::timeout(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(CallError::Died),
            Err(_) => Err(CallError::TimedOut),
        }
    }

    /// Puts an actor there, unless it is there already. Its mailbox is taken to be empty.
    pub(crate) fn fill(&self, actor: ActorRef<M>, meter: Meter) {
        if self.0.load().as_ref().is_some_and(|line| line.actor.get_id() == actor.get_id()) {
            return;
        }
        meter.emptied();
        self.0.store(Some(Arc::new(Line { actor, meter })));
    }
}

impl<M: Message> Vacate for Slot<M> {
    fn vacate(&self) {
        self.0.store(None);
    }
}

impl<M> Clone for Slot<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message> Default for Slot<M> {
    fn default() -> Self {
        Self::vacant()
    }
}

impl<M> fmt::Debug for Slot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actor = self.0.load().as_ref().map(|line| line.actor.get_id());
        f.debug_tuple("Slot").field(&actor).finish()
    }
}

// === impl Undelivered ===

impl<M> fmt::Debug for Undelivered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message need not be Debug, and may be private.
        f.debug_struct("Undelivered").field("reason", &self.reason).finish_non_exhaustive()
    }
}
