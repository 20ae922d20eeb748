//! Steps that are runs of other workflows. Such a run has always the same id, so that it is begun once.

use std::time::Duration;

use serde_json::{Value, json};
use workflow::Step;
use workflow::model::SubRun;

use super::machine::Machine;
use crate::doors::Became;
use crate::failure::{Failure, Flow};
use crate::journal::{Ticket, now};
use crate::record::State;
use crate::service::{Agent, id_of};

/// Between looks at a sub-run of which no news come.
const LOOK: Duration = Duration::from_secs(2);

impl Machine {
    pub(super) async fn sub_run(&self, sub: &SubRun, step: &Step, path: &str) -> Flow<Became> {
        let id = id_of(&format!("{}:{path}", self.run.id));
        if self.run.depth + 1 >= self.agent.settings().depth {
            let most = self.agent.settings().depth;
            let message = format!("workflows run one another {most} deep already (agent.depth)");
            return Ok(Became::Failed(Failure::new("too_deep", message)));
        }
        if self.agent.journal().run(&id).await?.is_none() {
            let known = match self.agent.library().get(&sub.id) {
                Ok(known) => known,
                Err(error) => return Ok(Became::Failed(Failure::of(&error))),
            };
            let cause = json!({ "by": "workflow", "run": self.run.id, "step": path });
            let parent = Some((self.run.id.as_str(), self.run.depth));
            let inputs = Value::Object(sub.inputs.clone());
            let new = match Agent::new_run(&known, self.run.owner.clone(), inputs, cause, &id, parent) {
                Ok(mut new) => {
                    new.definition = narrowed(&new.definition, self.workflow.allow.as_deref());
                    new
                }
                Err(error) => return Ok(Became::Failed(Failure::of(&error))),
            };
            self.agent.journal().make(new).await?;
        }
        let begun = self.row(path).map_or_else(now, |row| row.begun_ms);
        let until = step.timeout.map(|timeout| begun + timeout.ms());
        loop {
            let live = self.agent.lives().of(&id);
            let mut over = live.over.subscribe();
            let Some(run) = self.agent.journal().run(&id).await? else {
                return Ok(Became::Failed(Failure::new("no_such_run", "the run was forgotten")));
            };
            if run.state == State::Pending {
                // Every time: who made it may have been ended before it said so, and to be told twice is nothing.
                self.agent.clerk().begin(Ticket::of_part(&run));
            }
            if !run.state.is_active() {
                // Nobody else may have looked for it since.
                self.agent.lives().end(&id);
                return Ok(match run.state {
                    State::Completed => Became::Done(run.output.unwrap_or_default()),
                    state => {
                        let why = run
                            .error
                            .as_ref()
                            .and_then(|error| error["message"].as_str())
                            .unwrap_or("stopped");
                        let message =
                            format!("the run {id} of '{}' is {}: {why}", run.workflow, state.word());
                        Became::Failed(Failure::new("workflow_failed", message).with_data(json!({
                            "execution_id": id, "status": state.word(), "error": run.error })))
                    }
                });
            }
            let late = async {
                match until {
                    Some(until) => self.until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = over.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                late = late => {
                    late?;
                    self.agent.stop(&id).await?;
                    return Ok(Became::Failed(Failure::new("timeout", format!("the run {id} was not done in time"))));
                }
                stop = self.stopped() => return Err(stop),
            }
        }
    }
}

/// A workflow that may call no more than the one that it is a step of.
fn narrowed(definition: &std::sync::Arc<str>, allow: Option<&[protocol::Pattern]>) -> std::sync::Arc<str> {
    let Some(allow) = allow else { return std::sync::Arc::clone(definition) };
    let Ok(mut workflow) = serde_json::from_str::<workflow::Workflow>(definition) else {
        return std::sync::Arc::clone(definition);
    };
    workflow.allow = Some(match workflow.allow.take() {
        None => allow.to_vec(),
        // Of each pair of patterns the narrower one, where one lies in the other.
        Some(own) => own
            .iter()
            .flat_map(|one| allow.iter().filter_map(move |other| narrower(one, other)))
            .cloned()
            .collect(),
    });
    serde_json::to_string(&workflow).map_or_else(|_| std::sync::Arc::clone(definition), Into::into)
}

fn narrower<'a>(one: &'a protocol::Pattern, other: &'a protocol::Pattern) -> Option<&'a protocol::Pattern> {
    use protocol::Pattern::{Any, Exact, Prefix};
    match (one, other) {
        (Any, narrow) | (narrow, Any) => Some(narrow),
        (Exact(name), wide) => wide.covers(name).then_some(one),
        (wide, Exact(name)) => wide.covers(name).then_some(other),
        (Prefix(a), Prefix(b)) if a.starts_with(b.as_str()) => Some(one),
        (Prefix(a), Prefix(b)) if b.starts_with(a.as_str()) => Some(other),
        (Prefix(_), Prefix(_)) => None,
    }
}
