//! One run, from the journal to its end.
//!
//! The steps are walked through from the first one each time a run's actor begins. What is in the journal is not done
//! again: its outcome stands there. So where a run goes depends on nothing but the workflow, the inputs and what is in the
//! journal, and times and chances are written down before anything follows from them.

mod agent;
mod blocks;
mod leaf;
mod lists;
mod machine;
mod outside;
mod persons;
mod sub;
mod tries;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use protocol::Error;
use serde_json::{Map, Value, json};
use workflow::mask::Masks;
use workflow::{Scope, Workflow};

use crate::failure::{Failure, Flow, Stop};
use crate::journal::time;
use crate::live::Live;
use crate::record::{Run, State};
use crate::service::Agent;
pub(crate) use machine::Machine;

/// A run whose own work panics so often is given up.
const CRASHES_MAX: u32 = 3;

/// How the work on a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The run is over.
    Over,
    /// The process ends; the next one goes on.
    Later,
    /// Something is wrong that another actor may not find.
    Broken,
}

/// Works on a run until there is nothing more to do.
pub(crate) async fn to_its_end(agent: &Agent, id: &str, live: &Arc<Live>) -> End {
    match work_on(agent, id, live).await {
        Ok(end) => end,
        Err(error) => {
            tracing::error!(run = id, %error, detail = error.detail.as_deref(), "a run cannot be read or written down");
            // Not at once again: what is wrong with the disk will be for a moment.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            End::Broken
        }
    }
}

async fn work_on(agent: &Agent, id: &str, live: &Arc<Live>) -> Result<End, Error> {
    let Some(run) = agent.journal().run(id).await?.filter(|run| run.state.is_active()) else {
        return Ok(End::Over);
    };
    if run.state == State::Cancelling {
        live.stop.cancel(protocol::Cause::Cancelled);
    }
    if run.crashes >= CRASHES_MAX {
        let failure = Failure::new(
            "crashed",
            format!("the work on this run has panicked {CRASHES_MAX} times; the log says where"),
        );
        return settle(agent, &run, live, Err(failure.into())).await;
    }
    let machine = match make(agent, &run, live).await? {
        Ok(machine) => machine,
        Err(failure) => return settle(agent, &run, live, Err(failure.into())).await,
    };
    live.tell(agent.journal().begun(run.seq).await?);
    let outcome = machine.whole().await;
    settle(agent, &run, live, outcome).await
}

async fn make(agent: &Agent, run: &Run, live: &Arc<Live>) -> Result<Result<Machine, Failure>, Error> {
    let text = agent.journal().definition(run.seq).await?;
    let workflow: Workflow = match serde_json::from_str(&text) {
        Ok(workflow) => workflow,
        Err(error) => {
            let message =
                format!("the workflow was kept by another version, which this one cannot read: {error}");
            return Ok(Err(Failure::new("definition", message)));
        }
    };
    let mut secrets = Map::new();
    for (name, written) in &workflow.secrets {
        // A file of a secret is a line; it is read where it may be waited for.
        let (kept, from, to) = (agent.clone(), written.clone(), agent.secrets_dir().to_owned());
        let found = tokio::task::spawn_blocking(move || {
            cluster_config::document::secret(&from, kept.environment(), &to)
        });
        match found.await.map_err(Error::internal)? {
            Ok(secret) => drop(secrets.insert(name.clone(), Value::from(secret.expose()))),
            Err(why) => return Ok(Err(Failure::new("secret", format!("the secret `{name}`: {why}")))),
        }
    }
    let masks = Masks::of(secrets.values().filter_map(Value::as_str));
    let rows = agent.journal().steps(run.seq).await?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.path.clone(), row)).collect();
    let mut scope = Scope::default();
    scope.set("inputs", &run.inputs);
    scope.set("secrets", &Value::Object(secrets));
    scope.set(
        "run",
        &json!({ "id": run.id, "workflow": run.workflow, "created": time(run.created_ms), "cause": run.cause }),
    );
    let mut env = Map::new();
    for (name, text) in &workflow.env {
        match workflow::expr::text(text, &scope) {
            Ok(value) => drop(env.insert(name.clone(), value)),
            Err(why) => return Ok(Err(Failure::new("template", format!("env.{name}: {why}")))),
        }
    }
    scope.set("env", &Value::Object(env));
    Ok(Ok(Machine {
        agent: agent.clone(),
        caller: run.owner.caller(&run.id),
        run: run.clone(),
        workflow,
        live: Arc::clone(live),
        rows: rows.into(),
        masks,
        scope,
        told: AtomicUsize::new(0),
    }))
}

/// Commits what a run came to.
async fn settle(agent: &Agent, run: &Run, live: &Live, outcome: Flow<Value>) -> Result<End, Error> {
    let journal = agent.journal();
    let last = match outcome {
        Ok(output) => {
            journal.ended(run.seq, State::Completed, Some(output), None, "completed".to_owned()).await?
        }
        Err(Stop::Failed(failure)) => {
            tracing::info!(run = run.id, workflow = run.workflow, kind = failure.kind, "a run failed");
            let text = match failure.step.as_str() {
                "" => format!("failed: {}", failure.message),
                step => format!("failed at {step}: {}", failure.message),
            };
            journal.ended(run.seq, State::Failed, None, Some(failure.value()), text).await?
        }
        Err(Stop::Asked) => journal.ended(run.seq, State::Stopped, None, None, "stopped".to_owned()).await?,
        Err(Stop::Shutdown) => return Ok(End::Later),
        Err(Stop::Lost(error)) => return Err(*error),
    };
    live.tell(last);
    Ok(End::Over)
}
