//! `mcp.agent.getRun`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::Object;
use crate::service::Agent;
use crate::view::{EventView, RunView, StepView};

/// Steps that are shown: the first ones by their places.
const STEPS: usize = 1000;

/// Says all about a run: its inputs, its steps with what each came to, what waits for a person, and what happened last.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetRun {
    /// The run.
    execution_id: String,
    /// How many of the last events are shown.
    #[serde(default = "fifty")]
    #[schemars(range(max = 1000))]
    events: usize,
}

fn fifty() -> usize {
    50
}

/// A run, and all about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    /// The run.
    #[serde(flatten)]
    run: RunView,
    /// Its inputs.
    inputs: Object,
    /// What it came to, or null.
    output: Option<Value>,
    /// Why it failed, with particulars; or null.
    error: Option<Value>,
    /// Its steps as far as it got, by their places; the first thousand.
    steps: Vec<StepView>,
    /// Those that wait for a person: mcp.agent.approve or mcp.agent.reject.
    waits_for: Vec<StepView>,
    /// What happened last, oldest first.
    events: Vec<EventView>,
}

impl Method for GetRun {
    const NAME: &'static str = "mcp.agent.getRun";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Whole;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Whole, Error> {
        let run = agent.run(&context.caller, &self.execution_id).await?;
        let steps = agent.journal().steps(run.seq).await?;
        let waits_for = agent.journal().questions(run.seq).await?;
        let events = agent.journal().last_events(run.seq, self.events).await?;
        let inputs = match run.inputs.clone() {
            Value::Object(inputs) => inputs,
            _ => serde_json::Map::new(),
        };
        Ok(Whole {
            inputs: Object(inputs),
            steps: steps.into_iter().take(STEPS).map(StepView::of).collect(),
            waits_for: waits_for.into_iter().map(StepView::of).collect(),
            events: events.into_iter().map(EventView::of).collect(),
            output: run.output.clone(),
            error: run.error.clone(),
            run: RunView::of(&run),
        })
    }
}
