//! Work that nobody calls for: done at the start and then at intervals, on a thread that may block.

use std::sync::Arc;
use std::time::Duration;

use protocol::{Cancel, Cause};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Slot, Tasks};

/// What is done. It looks at the signal and stops soon after it is raised.
type Work = dyn Fn(&Cancel) + Send + Sync;

struct Chore;

/// Ends the work under way with the actor.
struct State {
    cancel: Cancel,
    _tasks: Tasks,
}

/// A child that does `work` when it starts and then `every` so often.
pub fn chore(id: &str, every: Duration, work: impl Fn(&Cancel) + Send + Sync + 'static) -> ChildSpec {
    let work: Arc<Work> = Arc::new(work);
    ChildSpec::worker(id, &Slot::vacant(), move |context| {
        (Chore, (Arc::clone(&work), every, context.tasks()))
    })
}

impl Actor for Chore {
    type Msg = ();
    type State = State;
    type Arguments = (Arc<Work>, Duration, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (work, every, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let cancel = Cancel::new();
        let told = cancel.clone();
        tasks.spawn(async move {
            loop {
                let (work, cancel) = (Arc::clone(&work), told.clone());
                // A panic in the work is logged by the panic hook, and the next time is another try.
                let _ = tokio::task::spawn_blocking(move || work(&cancel)).await;
                tokio::time::sleep(every).await;
            }
        });
        Ok(State { cancel, _tasks: tasks })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.cancel.cancel(Cause::Shutdown);
    }
}
