//! `mcp.agent.retryRun`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::Ticket;
use crate::refusal;
use crate::service::Agent;

/// Has a run that failed or was stopped go on from where it did: what is done is not done again.
///
/// It goes on with the workflow as it was when the run was made, even if the file has changed since.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRun {
    /// The run.
    execution_id: String,
}

/// The run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Retried {
    /// The run.
    execution_id: String,
    /// Always `started`.
    status: String,
}

impl Method for RetryRun {
    const NAME: &'static str = "mcp.agent.retryRun";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::DESTROY };
    const RUN: Run = Run::Task;

    type Reply = Retried;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Retried, Error> {
        super::approve::not_in_a_run(context)?;
        let run = agent.run(&context.caller, &self.execution_id).await?;
        agent.clerk().ready().await?;
        if !agent.journal().retry(&run.id).await? {
            let message = format!(
                "The run '{}' is {}: only one that failed or was stopped can be tried again.",
                run.id,
                run.state.word()
            );
            return Err(refusal::run("not_ended", message));
        }
        agent.clerk().begin(Ticket {
            id: run.id.clone(),
            workflow: run.workflow,
            concurrency: None,
            is_part: run.parent.is_some(),
            begun: false,
        });
        Ok(Retried { execution_id: run.id, status: "started".to_owned() })
    }
}
