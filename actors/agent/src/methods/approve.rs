//! `mcp.agent.approve`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::journal::Decision;
use crate::record::{Row, Run as Record};
use crate::refusal;
use crate::service::Agent;

/// Agrees to what a run asks, so that it goes on.
///
/// For a step `approve` that is a yes. For a step of which nobody knows whether it was done it says what counts: with
/// `repeat` it is done (again), with `outcome` it is taken to have come to that.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approve {
    /// The run.
    execution_id: String,
    /// Which step, by its place in `waits_for` of mcp.agent.getRun; may be left out while only one waits.
    #[serde(default)]
    step: Option<String>,
    /// What goes with the yes; the workflow finds it as `note` of the step's result.
    #[serde(default)]
    note: Option<String>,
    /// Whether to do (again) what may or may not have been done.
    #[serde(default)]
    repeat: bool,
    /// What the step is taken to have come to instead.
    #[serde(default)]
    outcome: Option<Value>,
}

/// What was decided.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Decided {
    /// The run.
    execution_id: String,
    /// The step.
    step: String,
    /// What counts for it now: `approved`, `repeated`, `skipped` or `rejected`.
    decision: String,
}

impl Method for Approve {
    const NAME: &'static str = "mcp.agent.approve";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::DESTROY };
    const RUN: Run = Run::Task;

    type Reply = Decided;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Decided, Error> {
        let (run, row) = asked(agent, context, &self.execution_id, self.step.as_deref()).await?;
        let by = &context.caller.name;
        let (decision, word) = match (row.kind.as_str(), self.repeat, self.outcome) {
            ("approve", false, None) => {
                let outcome = json!({ "approved": true, "by": by, "note": self.note });
                (Decision::Done(outcome), "approved")
            }
            ("approve", ..) => {
                return Err(Error::invalid_params(
                    "repeat and outcome are for steps of which nobody knows whether they were done",
                ));
            }
            ("ask", false, None) => (Decision::Done(json!({ "approved": true, "by": by })), "approved"),
            (_, true, None) => (Decision::Repeat, "repeated"),
            (_, false, Some(outcome)) => (Decision::Done(outcome), "skipped"),
            _ => {
                return Err(Error::invalid_params(
                    "say either repeat: true, to do the step (again), or outcome, which it is taken to have come to",
                ));
            }
        };
        decide(agent, context, &run, row, decision, word).await
    }
}

/// What one caller decides no run may decide for itself.
pub(super) fn not_in_a_run(context: &Context) -> Result<(), Error> {
    if context.caller.run.is_some() {
        return Err(refusal::run("in_a_run", "This is for persons to decide, and not for a run."));
    }
    Ok(())
}

/// The step that is decided about.
pub(super) async fn asked(
    agent: &Agent,
    context: &Context,
    id: &str,
    step: Option<&str>,
) -> Result<(Record, Row), Error> {
    not_in_a_run(context)?;
    let run = agent.run(&context.caller, id).await?;
    let mut waiting = agent.journal().questions(run.seq).await?;
    let names: Vec<String> = waiting.iter().map(|row| row.path.clone()).collect();
    match step {
        Some(step) => waiting.retain(|row| row.path == step),
        None if waiting.len() > 1 => {
            let message = format!("Several steps wait: say which as `step`: {}.", names.join(", "));
            return Err(refusal::run("which_step", message));
        }
        None => {}
    }
    match waiting.pop() {
        Some(row) => Ok((run, row)),
        None if names.is_empty() => {
            let message = format!("The run '{}' is {} and waits for nobody.", run.id, run.state.word());
            Err(refusal::run("waits_for_nobody", message))
        }
        None => {
            let message = format!("That step does not wait; there wait {}.", names.join(", "));
            Err(refusal::run("no_such_step", message))
        }
    }
}

/// Writes the decision down and tells the run.
pub(super) async fn decide(
    agent: &Agent,
    context: &Context,
    run: &Record,
    row: Row,
    decision: Decision,
    word: &str,
) -> Result<Decided, Error> {
    let text = format!("{word} by {}", context.caller.name);
    if !agent.journal().decide(run.seq, &row.path, decision, text).await? {
        return Err(refusal::run(
            "waits_for_nobody",
            "Somebody else was faster: the step does not wait any more.",
        ));
    }
    if let Some(live) = agent.lives().get(&run.id) {
        live.decided.send_modify(|count| *count += 1);
    }
    Ok(Decided { execution_id: run.id.clone(), step: row.path, decision: word.to_owned() })
}
