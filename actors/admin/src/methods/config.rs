//! `mcp.admin.config`: the settings in force.

use cluster_config::Effective;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Admin;

/// Shows every setting in force and where its value comes from: a default, a line of a file, an environment
/// variable, or the command line. Secrets are shown as `***`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowConfig {}

/// All settings.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// In the order of the reference.
    settings: Vec<Setting>,
}

/// One setting.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Setting {
    /// Such as `limits.call_seconds`.
    key: String,
    /// In force.
    value: Value,
    /// Who said so.
    source: String,
}

impl Method for ShowConfig {
    const NAME: &'static str = "mcp.admin.config";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Settings;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Settings, Error> {
        let all = (admin.shared.sources.config)();
        let setting = |Effective { key, value, source }| Setting { key, value, source };
        Ok(Settings { settings: all.into_iter().map(setting).collect() })
    }
}
