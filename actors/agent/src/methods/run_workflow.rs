//! `mcp.agent.runWorkflow`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::Object;
use crate::service::Agent;
use crate::view::{error_message, follow};

/// Runs a workflow, under the caller's own rights and limits.
///
/// It is answered once the run is written down; from then on it outlasts the process. With `wait` it is answered when the
/// run is over or waits for a person, and `mcp.progress` notifications tell what happens in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunWorkflow {
    /// The workflow, by its id in mcp.agent.listWorkflows.
    workflow_id: String,
    /// Its inputs; those with a default may be left out.
    #[serde(default)]
    inputs: Object,
    /// Whether to wait until it is over.
    #[serde(default)]
    wait: bool,
}

/// The run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Started {
    /// What it is called in other calls.
    execution_id: String,
    /// The workflow.
    workflow_id: String,
    /// It is `started`; or, having waited, `completed`, `failed`, `stopped` or `waiting`.
    status: String,
    /// What it came to; or null.
    output: Option<Value>,
    /// Why it failed; or null.
    error_message: Option<String>,
}

impl Method for RunWorkflow {
    const NAME: &'static str = "mcp.agent.runWorkflow";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::DESTROY };
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as a run takes that is waited for.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 7));

    type Reply = Started;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Started, Error> {
        let new = agent.start(&context.caller, &self.workflow_id, Value::Object(self.inputs.0)).await?;
        let mut started = Started {
            execution_id: new.id,
            workflow_id: new.workflow,
            status: "started".to_owned(),
            output: None,
            error_message: None,
        };
        if self.wait {
            let (run, _) = follow(agent, context, &started.execution_id, 0, true).await?;
            run.state.word().clone_into(&mut started.status);
            started.error_message = error_message(&run);
            started.output = run.output;
        }
        Ok(started)
    }
}
