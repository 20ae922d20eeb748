//! Begins runs because something happened: files changed, or mail came. What is watched is watched through the gateway, as
//! whom the settings name, so that it is nothing that this caller could not see.

mod files;
mod mail;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use protocol::{Caller, Error};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::Value;
use supervisor::{ChildSpec, Slot, Tasks};
use tokio::task::AbortHandle;
use tokio::time::sleep;
use workflow::model::{FileChange, MailArrives};

use crate::library::Known;
use crate::record::{NewRun, Owner};
use crate::service::{Agent, new_id};

/// Between tries to watch what cannot be watched.
const AGAIN: Duration = Duration::from_secs(5);

struct Triggers;

/// What watches, as a child.
pub(crate) fn child(agent: &Agent) -> ChildSpec {
    let agent = agent.clone();
    ChildSpec::worker("agent-triggers", &Slot::vacant(), move |context| {
        (Triggers, (agent.clone(), Arc::new(context.tasks())))
    })
}

impl Actor for Triggers {
    type Msg = ();
    type State = Arc<Tasks>;
    type Arguments = (Agent, Arc<Tasks>);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (agent, tasks): Self::Arguments,
    ) -> Result<Arc<Tasks>, ActorProcessingErr> {
        // The task holds its home weakly: both end with the actor.
        let home = Arc::downgrade(&tasks);
        tasks.spawn(async move {
            let mut changes = agent.library().changes();
            loop {
                changes.borrow_and_update();
                let watching = match home.upgrade() {
                    Some(home) => Watching(begin(&agent, &home)),
                    None => return,
                };
                if changes.changed().await.is_err() {
                    return;
                }
                drop(watching);
            }
        });
        Ok(tasks)
    }
}

/// Watches of one reading of the folder.
struct Watching(Vec<AbortHandle>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

fn begin(agent: &Agent, tasks: &Tasks) -> Vec<AbortHandle> {
    let mut begun = Vec::new();
    for known in agent.library().set().values().filter_map(|known| known.as_ref().ok()) {
        let Some(on) = &known.workflow.on else { continue };
        let files = on.file_change.clone().map(Trigger::Files);
        for trigger in files.into_iter().chain(on.mail.clone().map(Trigger::Mail)) {
            let (agent, known) = (agent.clone(), known.clone());
            begun.push(tasks.spawn(async move { trigger.watch_for_ever(&agent, &known).await }));
        }
    }
    begun
}

/// What happens.
enum Trigger {
    Files(FileChange),
    Mail(MailArrives),
}

impl Trigger {
    /// Watches, and again when that has ended.
    async fn watch_for_ever(&self, agent: &Agent, known: &Known) {
        loop {
            let Err(error) = match self {
                Self::Files(files) => files::watch(agent, known, files).await,
                Self::Mail(mail) => mail::watch(agent, known, mail).await,
            };
            tracing::debug!(workflow = known.workflow.id, %error, "what starts it cannot be watched now");
            sleep(AGAIN).await;
        }
    }
}

/// A run for this cause; none, and a complaint, where the workflow cannot run without being told more.
fn new_run(known: &Known, caller: &Caller, cause: Value) -> Result<Option<NewRun>, Error> {
    match Agent::new_run(known, Owner::of(caller), Value::Null, cause, &new_id()?, None) {
        Ok(new) => Ok(Some(new)),
        Err(error) => {
            tracing::warn!(workflow = known.workflow.id, %error, "a run that something started cannot be made");
            Ok(None)
        }
    }
}
