//! `mcp.agent.validate`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Agent;

/// Reads a workflow without keeping it, and says everything that is wrong with it, each with its line and what to do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Validate {
    /// The workflow, as YAML.
    #[schemars(length(max = 524_288))]
    text: String,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verdict {
    /// Whether it can be run.
    valid: bool,
    /// What it is called, or null.
    workflow_id: Option<String>,
    /// What is wrong, from top to bottom.
    mistakes: Vec<String>,
}

impl Method for Validate {
    const NAME: &'static str = "mcp.agent.validate";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Verdict;
    type Service = Agent;

    async fn call(self, _: &Context, agent: &Agent) -> Result<Verdict, Error> {
        Ok(match agent.library().read(&self.text, "text", "text") {
            Ok(known) => {
                Verdict { valid: true, workflow_id: Some(known.workflow.id.clone()), mistakes: Vec::new() }
            }
            Err(wrong) => Verdict {
                valid: false,
                workflow_id: None,
                mistakes: wrong.lines().map(str::to_owned).collect(),
            },
        })
    }
}
