//! `mcp.agent.schedules`.

use jiff::Timestamp;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workflow::model::Overlap;
use workflow::schedule::Due;

use crate::service::Agent;

/// Lists what starts workflows by itself, and when that is next due.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedules {}

/// The schedules.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct All {
    /// By workflow.
    schedules: Vec<Listed>,
    /// As whom these runs call; null when nobody of the name in the settings is known, and none is begun.
    owner: Option<String>,
}

/// What starts a workflow.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// The workflow.
    workflow_id: String,
    /// It is `schedule`, `file_change` or `mail`.
    trigger: String,
    /// When, as crontab has it; or which paths, or which account.
    says: String,
    /// In which time zone; empty for what goes by no clock.
    timezone: String,
    /// What happens when the run before is still under way.
    overlap: Overlap,
    /// When it is due next (RFC 3339, UTC), or null.
    next: Option<String>,
}

impl Method for Schedules {
    const NAME: &'static str = "mcp.agent.schedules";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = All;
    type Service = Agent;

    async fn call(self, _: &Context, agent: &Agent) -> Result<All, Error> {
        let set = agent.library().set();
        let now = Timestamp::now();
        let mut schedules = Vec::new();
        for known in set.values().filter_map(|known| known.as_ref().ok()) {
            let Some(on) = &known.workflow.on else { continue };
            let listed = |trigger: &str, says: String| Listed {
                workflow_id: known.workflow.id.clone(),
                trigger: trigger.to_owned(),
                says,
                timezone: String::new(),
                overlap: Overlap::Allow,
                next: None,
            };
            for schedule in &on.schedule {
                let next = Due::of(schedule).ok().and_then(|due| due.after(now));
                let timezone = if schedule.timezone.is_empty() { "UTC" } else { &schedule.timezone };
                schedules.push(Listed {
                    timezone: timezone.to_owned(),
                    overlap: schedule.overlap,
                    next: next.map(|next| next.to_string()),
                    ..listed("schedule", schedule.cron.clone())
                });
            }
            schedules
                .extend(on.file_change.as_ref().map(|files| listed("file_change", files.paths.join(", "))));
            schedules.extend(on.mail.as_ref().map(|mail| {
                listed("mail", format!("{} {}", mail.account, mail.folder.as_deref().unwrap_or("INBOX")))
            }));
        }
        Ok(All { schedules, owner: agent.owner().map(|owner| owner.name.clone()) })
    }
}
