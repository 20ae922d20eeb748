//! `mcp.admin.loglevel`: what is logged, changed while running.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Admin;

/// Shows what is logged, or changes it until the next start.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Loglevel {
    /// A level (`error`, `warn`, `info`, `debug`, `trace`, `off`) or directives (`info,gateway=debug`); leave it
    /// out to only look.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    level: Option<String>,
}

/// What is logged now.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InForce {
    /// The directives in force.
    level: String,
}

impl Method for Loglevel {
    const NAME: &'static str = "mcp.admin.loglevel";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = InForce;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<InForce, Error> {
        let log = &admin.shared.sources.log;
        if let Some(level) = &self.level {
            log.set(level).map_err(Error::invalid_params)?;
        }
        Ok(InForce { level: log.get() })
    }
}
