//! `mcp.prompts.list`: which prompts there are.

use protocol::mcp::PromptInfo;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Prompts;

/// Lists the prompts with the arguments that they take, by name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {}

/// What there is.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Every prompt.
    prompts: Vec<PromptInfo>,
}

impl Method for List {
    const NAME: &'static str = "mcp.prompts.list";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;

    type Reply = Listed;
    type Service = Prompts;

    async fn call(self, _: &Context, prompts: &Prompts) -> Result<Listed, Error> {
        Ok(Listed { prompts: prompts.set().values().map(|prompt| prompt.info()).collect() })
    }
}
