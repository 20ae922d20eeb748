//! What people ask a supervisor to do with one child. It costs no restart budget, as
//! nothing failed, and the strategy has no say in it.

use std::sync::Arc;

use tokio::time;

use crate::children::{Children, Phase};
use crate::ended::Ended;
use crate::handle::ChildError;
use crate::leaving::deadline_in;
use crate::restart::GaveUp;
use crate::seat::{Seat, State};
use crate::supervisor::{Reply, answer, done};

impl Children {
    /// Drains a child; `reply` is answered when it has ended.
    pub(crate) fn stop_on_request(&mut self, id: &Arc<str>, reply: Reply) {
        let Some(child) = self.by_id.get_mut(id) else {
            return answer(reply, Err(ChildError::NoSuchChild(Arc::clone(id))));
        };
        match &mut child.phase {
            Phase::Up { .. } => self.begin_to_stop(id, reply, false),
            Phase::Stopping { replies, again, .. } => {
                *again = false;
                replies.push(reply);
            }
            Phase::Waiting { .. } | Phase::Down => {
                child.phase = Phase::Down;
                child.seat.vacate(State::Stopped);
                self.forget(id);
                answer(reply, Ok(()));
            }
        }
    }

    /// Drains a child if it runs, and starts it; `reply` is answered when it has started.
    pub(crate) async fn restart_on_request(&mut self, id: &Arc<str>, reply: Reply) -> Result<(), GaveUp> {
        let Some(child) = self.by_id.get_mut(id) else {
            answer(reply, Err(ChildError::NoSuchChild(Arc::clone(id))));
            return Ok(());
        };
        match &mut child.phase {
            Phase::Up { .. } => self.begin_to_stop(id, reply, true),
            Phase::Stopping { replies, again, .. } => {
                *again = true;
                replies.push(reply);
            }
            // It waits for its turn, and so may others: it is their turn now.
            &mut Phase::Waiting { turn } => {
                let group = self.waiting_for(turn);
                return self.start_on_request(&group, vec![reply]).await;
            }
            Phase::Down => return self.start_on_request(&[Arc::clone(id)], vec![reply]).await,
        }
        Ok(())
    }

    /// A child that was asked to end has ended.
    pub(crate) async fn ended_on_request(
        &mut self,
        id: &Arc<str>,
        seat: &Arc<Seat>,
        how: &Ended,
        replies: Vec<Reply>,
        again: bool,
    ) -> Result<(), GaveUp> {
        seat.gone_with_all_below().await;
        seat.vacate(if again { State::Restarting } else { State::Stopped });
        self.tell_end(seat, how);
        if again {
            return self.start_on_request(&[Arc::clone(id)], replies).await;
        }
        self.forget(id);
        done(replies);
        Ok(())
    }

    fn begin_to_stop(&mut self, id: &Arc<str>, reply: Reply, again: bool) {
        let Some(child) = self.by_id.get_mut(id) else { return };
        let Some(cell) = child.seat.cell() else { return };
        let seat = Arc::clone(&child.seat);
        seat.ask_to_end();
        let killer = self.tasks.spawn(async move {
            time::sleep_until(deadline_in(seat.spec.shutdown)).await;
            seat.log_not_drained();
            cell.kill();
        });
        child.phase = Phase::Stopping { replies: vec![reply], again, killer };
    }

    /// Starts those that someone wants started.
    async fn start_on_request(&mut self, group: &[Arc<str>], replies: Vec<Reply>) -> Result<(), GaveUp> {
        match self.start_group(group).await {
            Ok(()) => {
                done(replies);
                Ok(())
            }
            Err(not_started) => {
                for reply in replies {
                    answer(reply, Err(ChildError::NotStarted(Arc::clone(&not_started.failed))));
                }
                self.recover_from(not_started).await
            }
        }
    }
}
