//! `mcp.agent.getWorkflowStatus`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::journal::time;
use crate::record::State;
use crate::service::Agent;
use crate::view::{error_message, line};

/// Lines of the log that are shown, as in the original.
const LINES: usize = 20;

/// Says how a run is, and what it said last. `mcp.agent.getRun` says more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetWorkflowStatus {
    /// The run.
    execution_id: String,
}

/// How it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// The run.
    execution_id: String,
    /// The workflow.
    workflow_id: String,
    /// How it is.
    status: State,
    /// When it began (RFC 3339, UTC), or null.
    start_time: Option<String>,
    /// When it ended, or null.
    end_time: Option<String>,
    /// What it came to, or null.
    output: Option<Value>,
    /// Why it failed, or null.
    error_message: Option<String>,
    /// The last lines of its log, oldest first.
    log_preview: Vec<String>,
}

impl Method for GetWorkflowStatus {
    const NAME: &'static str = "mcp.agent.getWorkflowStatus";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Status;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Status, Error> {
        let run = agent.run(&context.caller, &self.execution_id).await?;
        let log_preview = agent.journal().last_events(run.seq, LINES).await?.iter().map(line).collect();
        Ok(Status {
            error_message: error_message(&run),
            start_time: run.started_ms.map(time),
            end_time: run.ended_ms.map(time),
            status: run.state,
            output: run.output,
            execution_id: run.id,
            workflow_id: run.workflow,
            log_preview,
        })
    }
}
