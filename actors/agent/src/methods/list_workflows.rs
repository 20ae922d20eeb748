//! `mcp.agent.listWorkflows`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::Object;
use crate::service::Agent;

/// Lists the workflows that there are, and what is wrong with the files that are none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListWorkflows {}

/// The workflows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Workflows {
    /// Those that can be run, by id.
    workflows: Vec<Listed>,
    /// What is wrong with other files, each with its place and what to do.
    mistakes: Vec<String>,
}

/// A workflow.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// What it is called in other calls.
    workflow_id: String,
    /// What it is called for people.
    name: String,
    /// What it does.
    description: String,
    /// JSON Schema of its inputs.
    input_schema: Object,
}

impl Method for ListWorkflows {
    const NAME: &'static str = "mcp.agent.listWorkflows";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const ORIGINAL_FIELD: Option<&'static str> = Some("workflows");

    type Reply = Workflows;
    type Service = Agent;

    async fn call(self, _: &Context, agent: &Agent) -> Result<Workflows, Error> {
        let set = agent.library().set();
        let (mut workflows, mut mistakes) = (Vec::new(), Vec::new());
        for known in set.values() {
            match known {
                Ok(known) => {
                    let workflow = &known.workflow;
                    let name = if workflow.name.is_empty() { &workflow.id } else { &workflow.name };
                    let schema = match known.inputs.as_ref() {
                        Value::Object(schema) => schema.clone(),
                        _ => serde_json::Map::new(),
                    };
                    workflows.push(Listed {
                        workflow_id: workflow.id.clone(),
                        name: name.clone(),
                        description: workflow.description.clone(),
                        input_schema: Object(schema),
                    });
                }
                Err(wrong) => mistakes.extend(wrong.lines().map(str::to_owned)),
            }
        }
        Ok(Workflows { workflows, mistakes })
    }
}
