//! `mcp.admin.health`: is everything as it should be?

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supervisor::{Node, State};

use crate::Admin;

/// Says whether everything runs, and names what does not.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {}

/// The verdict.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    /// `ok`, or `degraded` when an actor does not run.
    status: Status,
    /// Actors that do not run, with what they last failed of.
    down: Vec<Down>,
    /// Seconds since the start.
    uptime_seconds: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Degraded,
}

/// One actor that does not run.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Down {
    /// Its path.
    path: String,
    /// Where it is in its life.
    state: State,
    /// What it last failed of, or null.
    last_failure: Option<String>,
}

impl Method for Health {
    const NAME: &'static str = "mcp.admin.health";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Verdict;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Verdict, Error> {
        let mut down = Vec::new();
        collect(&admin.tree()?.snapshot(), &mut down);
        let status = if down.is_empty() { Status::Ok } else { Status::Degraded };
        Ok(Verdict { status, down, uptime_seconds: admin.shared.started.elapsed().as_secs() })
    }
}

fn collect(node: &Node, down: &mut Vec<Down>) {
    if node.state != State::Running {
        down.push(Down {
            path: node.path.to_string(),
            state: node.state,
            last_failure: node.last_failure.as_ref().map(|failure| failure.text.clone()),
        });
    }
    // Sessions come and go; one that is just leaving is no illness.
    node.children.iter().filter(|_| &*node.id != "sessions").for_each(|child| collect(child, down));
}
