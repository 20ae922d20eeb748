//! `mcp.sync.defineJob`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::{Definition, now};
use crate::refusal::{no_such, refused, shown};
use crate::service::Sync;
use crate::view::Wanted;

/// Keeps a job under a name, by which `mcp.sync.runJob` runs it. Runs nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefineJob {
    /// What it is called: 1 to 40 letters, digits, `_` or `-`.
    name: String,
    /// The job.
    job: Wanted,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Whether one of that name may be replaced.
    #[serde(default)]
    replace: bool,
}

/// A job is kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Defined {
    /// What it is called.
    name: String,
    /// What it does, in a line.
    description: String,
}

impl Method for DefineJob {
    const NAME: &'static str = "mcp.sync.defineJob";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::REPLACE;
    const RUN: Run = Run::Task;

    type Reply = Defined;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Defined, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name = self.name;
        if name.is_empty() || name.len() > 40 || name.starts_with('-') || !name.chars().all(plain) {
            return Err(refused(
                "bad_name",
                format!(
                    "The name '{}' must be 1 to 40 letters, digits, '_' or '-', not beginning with '-'.",
                    shown(&name)
                ),
            ));
        }
        if self.description.len() > 2000 {
            return Err(Error::invalid_params("description takes at most 2000 bytes"));
        }
        let (_, task) = self.job.read()?;
        sync.resolve(&context.caller.tier, &task).await?;
        // One that the caller may not know of keeps its name.
        let known = sync.journal().definitions().await?.into_iter().find(|one| one.name == name);
        let hidden = known.is_some_and(|one| !sync.shows(&context.caller.tier, &one.task));
        let said = task.description();
        let definition = Definition {
            name: name.clone(),
            caller: context.caller.name.clone(),
            description: self.description,
            task,
            changed_ms: now(),
        };
        if !sync.journal().define(definition, self.replace && !hidden).await? {
            return Err(no_such(
                "name_taken",
                format!(
                    "A job '{name}' is defined already, or a thousand are: choose another name, say replace, or delete some."
                ),
            ));
        }
        Ok(Defined { name, description: said })
    }
}
