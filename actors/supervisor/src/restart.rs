//! What a supervisor does when a child ends by itself: OTP's rules, and a back-off.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorId;
use tokio::task;
use tokio::time::{self, Instant};

use crate::children::{Children, Phase, Turn, below};
use crate::ended::{Ended, with_sources};
use crate::events::What;
use crate::launch::StartFailed;
use crate::seat::{Seat, State};
use crate::strategy::{AutoShutdown, Restart};
use crate::supervisor::Msg;

/// A supervisor ended itself because restarts did not help. For its own supervisor that
/// is a failure; OTP calls it a shutdown, and a transient one would silently stay down.
#[derive(Debug, thiserror::Error)]
#[error("gave up after {restarts} restarts within {within:?}; the last to fail was {last}")]
pub(crate) struct GaveUp {
    restarts: u32,
    within: Duration,
    last: String,
}

/// A child that ended, or did not come up, and is to be started again.
struct Casualty {
    id: Arc<str>,
    cause: Cause,
}

enum Cause {
    Ended { text: String, uptime: Duration },
    NotStarted(Arc<StartFailed>),
}

/// The child of a group that did not start.
pub(crate) struct NotStarted {
    id: Arc<str>,
    pub(crate) failed: Arc<StartFailed>,
}

impl Children {
    /// A child has ended.
    pub(crate) async fn ended(&mut self, who: ActorId, how: Ended) -> Result<(), GaveUp> {
        let Some(id) = self.running.remove(&who) else { return Ok(()) };
        let Some(child) = self.by_id.get_mut(&id) else { return Ok(()) };
        let phase = mem::replace(&mut child.phase, Phase::Down);
        let seat = Arc::clone(&child.seat);
        match phase {
            Phase::Stopping { replies, again, killer } => {
                killer.abort();
                self.ended_on_request(&id, &seat, &how, replies, again).await
            }
            Phase::Up { since } => self.ended_by_itself(id, &seat, &how, since.elapsed()).await,
            Phase::Down | Phase::Waiting { .. } => Ok(()),
        }
    }

    async fn ended_by_itself(
        &mut self,
        id: Arc<str>,
        seat: &Arc<Seat>,
        how: &Ended,
        uptime: Duration,
    ) -> Result<(), GaveUp> {
        let again = seat.spec.restart.wanted_after(how);
        if again || seat.below.is_some() {
            // Its successor will want the same files, ports and slots.
            seat.gone_with_all_below().await;
        }
        seat.vacate(if again { State::Restarting } else { State::Stopped });
        self.tell_end(seat, how);
        if again {
            return self
                .recover(Casualty { id, cause: Cause::Ended { text: how.to_string(), uptime } })
                .await;
        }
        self.forget(&id);
        self.end_with_significant(seat);
        Ok(())
    }

    /// Restarts whom the strategy says, now or after the back-off. Each further failure on the way goes round again, at
    /// the cost of the budget, which bounds the loop, and behind all others: a start that fails at once never waits, and
    /// where every start does, as in a runtime that is ending, the runtime must get its thread back.
    async fn recover(&mut self, mut casualty: Casualty) -> Result<(), GaveUp> {
        loop {
            if self.budget.spend(Instant::now().into_std()).is_err() {
                return Err(self.give_up(&casualty).await);
            }
            let group = self.bring_down(&casualty.id).await;
            let wait = self.queue(&group, &casualty);
            if !wait.is_zero() {
                self.wake_up_after(wait);
                return Ok(());
            }
            match self.start_group(&group).await {
                Ok(()) => return Ok(()),
                Err(next) => casualty = next.into(),
            }
            task::yield_now().await;
        }
    }

    /// A start that someone asked for failed: that is a failure like any other.
    pub(crate) async fn recover_from(&mut self, not_started: NotStarted) -> Result<(), GaveUp> {
        let child = self.by_id.get(&not_started.id);
        if child.is_some_and(|child| child.seat.spec.restart == Restart::Temporary) {
            self.forget(&not_started.id);
            return Ok(());
        }
        self.recover(not_started.into()).await
    }

    /// A back-off is over: starts those that waited for it. A later failure may have made
    /// some of them wait for another, or all.
    pub(crate) async fn due(&mut self, turn: Turn) -> Result<(), GaveUp> {
        let group = self.waiting_for(turn);
        match self.start_group(&group).await {
            Ok(()) => Ok(()),
            Err(not_started) => self.recover_from(not_started).await,
        }
    }

    /// Stops, in reverse, those that go down with `id`. Returns whom to start again.
    async fn bring_down(&mut self, id: &Arc<str>) -> Vec<Arc<str>> {
        let Some(position) = self.order.iter().position(|fixed| fixed == id) else {
            return vec![Arc::clone(id)];
        };
        let affected = below(&self.seat).spec.strategy.affected(position, self.order.len());
        let mut group = self.order[affected].to_vec();
        for id in group.iter().rev() {
            self.stop_one(id).await;
        }
        group.retain(|id| {
            self.by_id.get(id).is_some_and(|child| child.seat.spec.restart != Restart::Temporary)
        });
        group
    }

    /// Makes `group` wait for its turn. Returns how long.
    fn queue(&mut self, group: &[Arc<str>], casualty: &Casualty) -> Duration {
        self.turn += 1;
        for id in group {
            if let Some(child) = self.by_id.get_mut(id) {
                child.phase = Phase::Waiting { turn: self.turn };
                child.seat.set(State::Restarting);
            }
        }
        let Some(child) = self.by_id.get_mut(&casualty.id) else { return Duration::ZERO };
        let wait = child.retries.next(&child.seat.spec.backoff, casualty.uptime(), fastrand::f64());
        let after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.tree.tell(&child.seat.path, What::Restarting { after_ms });
        wait
    }

    fn wake_up_after(&self, wait: Duration) {
        let (myself, turn) = (self.myself.clone(), self.turn);
        self.tasks.spawn(async move {
            time::sleep(wait).await;
            // An error means that the supervisor ended, and its plans with it.
            let _ = myself.send_message(Msg::Due(turn));
        });
    }

    /// Starts these in order, up to the first that fails.
    pub(crate) async fn start_group(&mut self, group: &[Arc<str>]) -> Result<(), NotStarted> {
        for id in group {
            if let Err(failed) = self.start_one(id).await {
                return Err(NotStarted { id: Arc::clone(id), failed: Arc::new(failed) });
            }
        }
        Ok(())
    }

    /// The budget is spent: ends the children in order, and leaves the rest to our own
    /// supervisor.
    async fn give_up(&mut self, casualty: &Casualty) -> GaveUp {
        let intensity = below(&self.seat).spec.intensity;
        let within_ms = u64::try_from(intensity.within.as_millis()).unwrap_or(u64::MAX);
        self.tree.tell(&self.seat.path, What::GaveUp { restarts: intensity.restarts, within_ms });
        self.stop_all().await;
        GaveUp { restarts: intensity.restarts, within: intensity.within, last: casualty.text() }
    }

    fn end_with_significant(&self, ended: &Seat) {
        let auto_shutdown = below(&self.seat).spec.auto_shutdown;
        if !ended.spec.significant || auto_shutdown == AutoShutdown::Never {
            return;
        }
        let significant = self.by_id.values().filter(|child| child.seat.spec.significant);
        let left = significant.filter(|child| !matches!(child.phase, Phase::Down)).count();
        if auto_shutdown.ends_with(left) {
            self.myself.stop(Some("its significant children have ended".into()));
        }
    }
}

// === impl Casualty ===

impl Casualty {
    /// How long it ran, if it came up.
    fn uptime(&self) -> Option<Duration> {
        match self.cause {
            Cause::Ended { uptime, .. } => Some(uptime),
            Cause::NotStarted(_) => None,
        }
    }

    fn text(&self) -> String {
        match &self.cause {
            Cause::Ended { text, .. } => format!("{}: {text}", self.id),
            Cause::NotStarted(failed) => with_sources(failed),
        }
    }
}

impl From<NotStarted> for Casualty {
    fn from(NotStarted { id, failed }: NotStarted) -> Self {
        Self { id, cause: Cause::NotStarted(failed) }
    }
}
