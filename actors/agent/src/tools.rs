//! Each workflow as a method and a tool of its own, with its inputs as params: `mcp.agent.workflow.ID`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::dispatch::BoxFuture;
use protocol::{Code, Context, Entry, Error, Payload, TaskSupport};
use serde_json::{Value, json};

use crate::library::Known;
use crate::record::State;
use crate::service::Agent;
use crate::view::{error_message, follow};

/// The service of which these are methods: apart from `agent`, because they come and go.
pub const SERVICE: &str = "workflows";

/// As long as a run takes.
const LIMIT: Duration = Duration::from_hours(24 * 7);

impl Agent {
    /// The workflows as they are now, as methods.
    pub fn entries(&self) -> Vec<Entry> {
        let set = self.library().set();
        let known = set.values().filter_map(|known| known.as_ref().ok());
        let entries = known.filter_map(|known| {
            self.entry(known).map_err(|why| tracing::warn!(why, "a workflow is no tool")).ok()
        });
        // `a-b` and `a_b` are one tool; the second must not cost all others theirs.
        let mut taken = HashSet::new();
        entries
            .filter(|entry| {
                let free = taken.insert(entry.tool_name());
                if !free {
                    tracing::warn!(
                        workflow = entry.name,
                        "another workflow has its tool's name: rename one of them"
                    );
                }
                free
            })
            .collect()
    }

    fn entry(&self, known: &Known) -> Result<Entry, String> {
        let workflow = &known.workflow;
        let about = if workflow.description.is_empty() { &workflow.name } else { &workflow.description };
        let about = if about.is_empty() { &workflow.id } else { about };
        let description = format!(
            "{about}\n\nThis is the workflow `{}`. It is answered when the run is over, or waits for a person.",
            workflow.id
        );
        let result = json!({
            "type": "object",
            "properties": {
                "execution_id": { "type": "string", "description": "The run." },
                "status": { "type": "string", "description": "It is `completed` or `waiting`." },
                "output": { "description": "What it came to, or null." },
            },
            "required": ["execution_id", "status", "output"],
        });
        let (agent, id) = (self.clone(), Arc::<str>::from(workflow.id.as_str()));
        let invoke = move |context: Context, params: Value| -> BoxFuture<'static, Result<Payload, Error>> {
            let (agent, id) = (agent.clone(), Arc::clone(&id));
            Box::pin(async move { run(&agent, &context, &id, params).await })
        };
        let name = format!("mcp.agent.workflow.{}", workflow.id);
        let mut entry = Entry::remote(name, description, &known.inputs, &result, invoke)?;
        SERVICE.clone_into(&mut entry.service);
        entry.limit = Some(LIMIT);
        entry.task = TaskSupport::Optional;
        Ok(entry)
    }
}

async fn run(agent: &Agent, context: &Context, id: &str, params: Value) -> Result<Payload, Error> {
    let inputs = if params.is_object() { params } else { json!({}) };
    let new = agent.start(&context.caller, id, inputs).await?;
    let (run, _) = follow(agent, context, &new.id, 0, true).await?;
    if matches!(run.state, State::Failed | State::Stopped) {
        let why = error_message(&run).unwrap_or_else(|| "it was stopped".to_owned());
        let message = format!("The run {} of '{id}' did not come to a good end: {why}", run.id);
        return Err(Error::new(Code::AgentFailed, message)
            .with_data(json!({ "execution_id": run.id, "status": run.state.word(), "error": run.error })));
    }
    let answer = json!({ "execution_id": run.id, "status": run.state.word(), "output": run.output });
    Ok(Payload::Owned(answer.to_string()))
}
