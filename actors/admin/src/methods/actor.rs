//! `mcp.admin.actor`: one actor.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;
use supervisor::Node;

use super::no_such_actor;
use crate::Admin;

/// Shows one actor of the supervision tree, with what is below it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowActor {
    /// Its path (`root/services/fs`), or the last part of it where that is unique (`fs`).
    #[schemars(length(min = 1, max = 200))]
    id: String,
}

impl Method for ShowActor {
    const NAME: &'static str = "mcp.admin.actor";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Node;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Node, Error> {
        admin.tree()?.actor(&self.id).ok_or_else(|| no_such_actor(&self.id))
    }
}
