//! `mcp.admin.tree`: the live supervision tree.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;
use supervisor::Node;

use crate::Admin;

/// Shows the live supervision tree: every actor with its state, restarts, last failure, messages handled, calls
/// in flight, mailbox depth and handling times. Of a supervisor with many children, such as sessions, the first
/// hundred are shown and all are counted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowTree {}

impl Method for ShowTree {
    const NAME: &'static str = "mcp.admin.tree";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Node;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Node, Error> {
        Ok(admin.tree()?.snapshot())
    }
}
