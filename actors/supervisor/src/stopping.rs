//! How a supervisor stops its children: in reverse, each within its own time.

use std::mem;
use std::sync::Arc;

use tokio::time::Instant;

use crate::children::{Children, Phase};
use crate::events::What;
use crate::leaving::deadline_in;
use crate::seat::{Seat, State};
use crate::supervisor::{Reply, done};

/// A child that was asked to end, and who waits for that.
struct Leaving {
    seat: Arc<Seat>,
    deadline: Instant,
    replies: Vec<Reply>,
}

impl Children {
    /// Stops everything: the dynamic children together, then the fixed ones one by one
    /// in reverse.
    pub(crate) async fn stop_all(&mut self) {
        let dynamic: Vec<Arc<str>> =
            self.by_id.keys().filter(|id| !self.order.contains(id)).cloned().collect();
        let leaving: Vec<Leaving> = dynamic.iter().filter_map(|id| self.take_out(id)).collect();
        for child in leaving {
            self.see_off(child).await;
        }
        for id in &dynamic {
            self.forget(id);
        }
        for id in self.order.clone().iter().rev() {
            self.stop_one(id).await;
        }
    }

    /// Stops a child, and returns when it has ended. A child that is down stays down.
    pub(crate) async fn stop_one(&mut self, id: &Arc<str>) {
        if let Some(child) = self.take_out(id) {
            self.see_off(child).await;
        }
    }

    /// A child is no longer up, whatever it was. If it was up, it is asked to end, and
    /// its end will be no news.
    fn take_out(&mut self, id: &Arc<str>) -> Option<Leaving> {
        let child = self.by_id.get_mut(id)?;
        let phase = mem::replace(&mut child.phase, Phase::Down);
        let seat = Arc::clone(&child.seat);
        let Some(cell) = seat.cell() else {
            seat.vacate(State::Stopped);
            return None;
        };
        self.running.remove(&cell.get_id());
        // News of it would lie in our own mailbox until we are done here, and with it the
        // state of one that had to be killed.
        cell.unlink(self.myself.get_cell());
        let replies = match phase {
            Phase::Stopping { replies, killer, .. } => {
                killer.abort();
                replies
            }
            Phase::Up { .. } | Phase::Waiting { .. } | Phase::Down => Vec::new(),
        };
        seat.ask_to_end();
        Some(Leaving { deadline: deadline_in(seat.spec.shutdown), seat, replies })
    }

    async fn see_off(&self, Leaving { seat, deadline, replies }: Leaving) {
        let reason = seat.end_by(deadline).await;
        seat.vacate(State::Stopped);
        self.tell_quietly(&seat, What::Stopped { reason });
        done(replies);
    }
}
