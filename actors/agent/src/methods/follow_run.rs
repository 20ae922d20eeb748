//! `mcp.agent.followRun`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::service::Agent;
use crate::view::{RunView, follow};

/// Tells what happens in a run, as `mcp.progress` notifications of this call, until it is over.
///
/// What happened before is told first. Each notification is an event with its number `seq`; given as `after`, the next
/// call goes on behind it, so that nothing is missed between two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowRun {
    /// The run.
    execution_id: String,
    /// The number of the last event that is known already.
    #[serde(default)]
    after: i64,
}

/// How it ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Over {
    /// The run.
    #[serde(flatten)]
    run: RunView,
    /// What it came to, or null.
    output: Option<Value>,
    /// The number of its last event.
    last_event: i64,
}

impl Method for FollowRun {
    const NAME: &'static str = "mcp.agent.followRun";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as a run takes.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 7));

    type Reply = Over;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Over, Error> {
        let (run, last_event) = follow(agent, context, &self.execution_id, self.after, false).await?;
        Ok(Over { run: RunView::of(&run), output: run.output, last_event })
    }
}
