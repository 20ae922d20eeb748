//! `mcp.agent.stopWorkflow`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Agent;

/// Stops a run, and the runs that are steps of it. What is under way in it is given up; `mcp.agent.retryRun` goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopWorkflow {
    /// The run.
    execution_id: String,
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stopping {
    /// The run.
    execution_id: String,
    /// It is `stop_requested`, or `already_completed_or_not_running`.
    status: String,
    /// The same, for a person.
    message: String,
}

impl Method for StopWorkflow {
    const NAME: &'static str = "mcp.agent.stopWorkflow";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Task;

    type Reply = Stopping;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Stopping, Error> {
        let run = agent.run(&context.caller, &self.execution_id).await?;
        let before = agent.stop(&run.id).await?.filter(|state| state.is_active());
        let (status, message) = match before {
            Some(_) => ("stop_requested", "It is about to stop.".to_owned()),
            None => ("already_completed_or_not_running", format!("It is {} already.", run.state.word())),
        };
        Ok(Stopping { execution_id: run.id, status: status.to_owned(), message })
    }
}
