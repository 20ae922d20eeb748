//! Begins runs because something happened: files changed, or mail came. What is watched is watched through the gateway, as
//! whom the settings name, so that it is nothing that this caller could not see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{Caller, Cancel, Error, Incoming, Reply};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use supervisor::{ChildSpec, Slot, Tasks};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use workflow::Span;

use crate::doors::Abandons;
use crate::library::Known;
use crate::record::Owner;
use crate::service::{Agent, new_id, ticket};

/// Between tries to watch what cannot be watched.
const AGAIN: Duration = Duration::from_secs(5);

/// How long one watch lasts before it is begun anew.
const WATCH: Duration = Duration::from_hours(24);

/// Changes that are named in a run's cause.
const NAMED_MAX: usize = 100;

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
        if let Some(files) = &on.file_change {
            let quiet = files.quiet.unwrap_or(Span::seconds(1)).duration();
            let (agent, known, params) = (agent.clone(), known.clone(), json!({ "paths": files.paths }));
            begun.push(tasks.spawn(async move {
                watch(&agent, &known, "file_change", "mcp.fs.watch", &params, quiet).await;
            }));
        }
        if let Some(mail) = &on.mail {
            let folder = mail.folder.as_deref().unwrap_or("INBOX");
            let params = json!({ "account_id": mail.account, "folder": folder });
            let (agent, known) = (agent.clone(), known.clone());
            begun.push(tasks.spawn(async move {
                watch(&agent, &known, "mail", "mcp.mail.watch", &params, Duration::from_millis(200)).await;
            }));
        }
    }
    begun
}

/// Watches for ever, and begins a run after each change that is followed by quiet.
async fn watch(agent: &Agent, known: &Known, by: &str, method: &str, params: &Value, quiet: Duration) {
    loop {
        if let Err(error) = watch_once(agent, known, by, method, params, quiet).await {
            tracing::debug!(workflow = known.workflow.id, %error, "what starts it cannot be watched now");
        }
        sleep(AGAIN).await;
    }
}

async fn watch_once(
    agent: &Agent,
    known: &Known,
    by: &str,
    method: &str,
    params: &Value,
    quiet: Duration,
) -> Result<(), Error> {
    agent.clerk().ready().await?;
    let caller = agent.owner().ok_or_else(|| Error::unavailable("agent"))?;
    let (outbox, mut outcome, mut news) = service::once_with_news();
    let abandons = Abandons(Cancel::new());
    agent.dispatch()?.dispatch(Incoming {
        method: method.into(),
        params: Some(to_raw_value(params).map_err(Error::internal)?),
        caller: Arc::clone(&caller),
        deadline: Instant::now() + WATCH,
        cancel: abandons.0.clone(),
        inputs: None,
        reply: Reply::new(outbox, 0),
    });
    loop {
        let first = tokio::select! {
            told = news.recv() => told,
            ended = &mut outcome => return ended.map_err(|_| Error::unavailable("agent"))?.map(drop),
        };
        let Some(first) = first.and_then(|text| change(&text, by)) else { continue };
        let mut changes = vec![first];
        while let Ok(Some(text)) = timeout(quiet, news.recv()).await {
            let more = change(&text, by).filter(|one| changes.len() < NAMED_MAX && !changes.contains(one));
            changes.extend(more);
        }
        run(agent, known, &caller, by, changes).await?;
    }
}

/// What a notification tells, if it is a change that starts something.
fn change(text: &str, by: &str) -> Option<Value> {
    let told: Value = serde_json::from_str(text).ok()?;
    let what = told.get("change")?;
    (by != "mail" || *what == "arrived" || *what == "unknown").then_some(told)
}

async fn run(
    agent: &Agent,
    known: &Known,
    caller: &Caller,
    by: &str,
    changes: Vec<Value>,
) -> Result<(), Error> {
    let cause = json!({ "by": by, "changes": changes });
    let new = Agent::new_run(known, Owner::of(caller), Value::Null, cause, &new_id()?, None);
    match new {
        Ok(new) => {
            let begin = ticket(&new);
            agent.journal().make(new).await?;
            agent.clerk().begin(begin);
            Ok(())
        }
        Err(error) => {
            tracing::warn!(workflow = known.workflow.id, %error, "a run that something started cannot be made");
            Ok(())
        }
    }
}
