//! How an actor leaves its seat: asked, then killed, and waited for until all that it
//! held is free again.

use std::time::Duration;

use tokio::time::{self, Instant};

use crate::seat::{Seat, State};

/// A handler that never awaits cannot be killed. What has not ended this long after
/// its kill is left behind, and the log says so.
const KILL_WITHIN: Duration = Duration::from_secs(5);

/// Longer than anything runs, and still a valid deadline.
const FOREVER: Duration = Duration::from_hours(24 * 365);

impl Seat {
    /// Asks the occupant to end: a worker after what is in its mailbox, a supervisor
    /// after its children.
    pub(crate) fn ask_to_end(&self) {
        let Some(cell) = self.cell() else { return };
        self.set(State::Stopping);
        if self.below.is_some() {
            cell.stop(Some("shutdown".into()));
        } else {
            // An error means that it is ending already.
            let _ = cell.drain();
        }
    }

    /// Waits until the occupant and all below it have ended, and kills at `deadline`
    /// what has not. Says what was done.
    pub(crate) async fn end_by(&self, deadline: Instant) -> String {
        if self.gone_by(deadline).await {
            self.gone_with_all_below().await;
            return "drained".into();
        }
        self.log_not_drained();
        if let Some(cell) = self.cell() {
            cell.kill();
        }
        self.gone_with_all_below().await;
        format!("killed after {:?}", self.spec.shutdown)
    }

    /// Waits until nothing is left of an occupant that has ended or was killed, nor
    /// of those that were below it. ractor kills them with it, but does not wait.
    pub(crate) async fn gone_with_all_below(&self) {
        let deadline = deadline_in(KILL_WITHIN);
        self.or_left_behind(deadline).await;
        for seat in self.family() {
            if let Some(cell) = seat.cell() {
                cell.kill();
                seat.or_left_behind(deadline).await;
                seat.vacate(State::Stopped);
            }
            seat.set(State::Stopped);
            // A supervisor that fell has no dynamic children any more, however deep below this one it was.
            seat.forget_dynamic();
        }
        self.forget_dynamic();
    }

    fn forget_dynamic(&self) {
        if let Some(below) = &self.below {
            below.remove_all();
        }
    }

    pub(crate) fn log_not_drained(&self) {
        tracing::warn!(path = &*self.path, "has not drained within {:?}: killed", self.spec.shutdown);
    }

    async fn or_left_behind(&self, deadline: Instant) {
        if !self.gone_by(deadline).await {
            tracing::error!(path = &*self.path, "cannot be killed, because it never awaits: left behind");
        }
    }

    /// Whether the occupant has ended by then, with all that it held.
    async fn gone_by(&self, deadline: Instant) -> bool {
        let (cell, task) = match &mut self.life().occupant {
            Some(occupant) => (occupant.cell.clone(), occupant.task.take()),
            None => return true,
        };
        let Some(mut task) = task else {
            // Whoever waited for the task was itself killed while it waited.
            return time::timeout_at(deadline, cell.wait(None)).await.is_ok();
        };
        let ended = time::timeout_at(deadline, &mut task).await.is_ok();
        if !ended && let Some(occupant) = &mut self.life().occupant {
            occupant.task = Some(task);
        }
        ended
    }
}

/// The moment `duration` from now, also for a duration that stands for "any".
pub(crate) fn deadline_in(duration: Duration) -> Instant {
    Instant::now() + duration.min(FOREVER)
}
