//! The actor of one run. Its work is a task of its own; the actor ends with it, and when it dies another one goes on from
//! the journal.

use std::time::Duration;

use protocol::Cause;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{Backoff, ChildSpec, Restart, Slot, Tasks};

use crate::run::{self, End};
use crate::service::Agent;

/// How long what is under way may take when the process stops. What takes longer is in doubt afterwards.
const DRAIN: Duration = Duration::from_secs(3);

struct Runner;

struct State {
    agent: Agent,
    id: String,
    tasks: Tasks,
}

/// A run as a child.
pub(crate) fn child(agent: &Agent, id: &str) -> ChildSpec {
    let (kept, name) = (agent.clone(), id.to_owned());
    ChildSpec::worker(id, &Slot::vacant(), move |context| {
        (Runner, (kept.clone(), name.clone(), context.tasks()))
    })
    .restart(Restart::Transient)
    .backoff(Backoff::default())
    .shutdown(DRAIN + Duration::from_secs(1))
    .numerous()
}

impl Actor for Runner {
    type Msg = ();
    type State = State;
    type Arguments = (Agent, String, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        (agent, id, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let live = agent.lives().anew(&id);
        let bell = Bell { myself, agent: agent.clone(), id: id.clone(), end: End::Broken };
        let kept = agent.clone();
        tasks.spawn(async move {
            let mut bell = bell;
            bell.end = run::to_its_end(&kept, &bell.id, &live).await;
        });
        Ok(State { agent, id, tasks })
    }

    async fn post_stop(&self, _: ActorRef<()>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(live) = state.agent.lives().get(&state.id) {
            live.stop.cancel(Cause::Shutdown);
        }
        state.tasks.join_all(DRAIN).await;
        Ok(())
    }
}

/// Tells the actor that its work has ended, however it did.
struct Bell {
    myself: ActorRef<()>,
    agent: Agent,
    id: String,
    end: End,
}

impl Drop for Bell {
    fn drop(&mut self) {
        match self.end {
            End::Over => {
                self.agent.clerk().ended(&self.id);
                self.agent.lives().end(&self.id);
                self.myself.stop(None);
            }
            // The actor is on its way out already.
            End::Later => {}
            End::Broken => {
                if std::thread::panicking() {
                    self.agent.journal().crashed(&self.id);
                }
                // Its supervisor starts another one, which goes on from the journal.
                self.myself.kill();
            }
        }
    }
}
