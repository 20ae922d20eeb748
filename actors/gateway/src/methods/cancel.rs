//! `mcp.cancel`: stop a call that is under way on the same connection.

use protocol::{Context, Effect, Error, Id, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Gate;

/// Cancels a call that you sent on this connection and that has not been answered yet. The cancelled call is
/// answered with error -32063; work that cannot be interrupted is finished and its result dropped.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelCall {
    /// The `id` under which the call was sent.
    id: Id,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelOutcome {
    /// `false` when no call of that id is under way: it was answered already, or never sent.
    cancelled: bool,
}

impl Method for CancelCall {
    const NAME: &'static str = "mcp.cancel";
    const TIER: Tier = Tier::Free;
    const TOOL: bool = false;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = CancelOutcome;
    type Service = Gate;

    async fn call(self, context: &Context, _: &Gate) -> Result<CancelOutcome, Error> {
        let cancelled = context.connection.as_ref().is_some_and(|(outbox, _)| outbox.cancel(&self.id));
        Ok(CancelOutcome { cancelled })
    }
}
