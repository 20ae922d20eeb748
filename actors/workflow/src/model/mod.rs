//! What a workflow is, as its file says it. The doc comments are the published description of the format
//! (`workflows/workflow.schema.json`).

use std::collections::BTreeMap;

use protocol::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::span::Span;

mod doing;
mod step;

pub use doing::*;
pub use step::*;

/// A workflow: one file in the folder of workflows. Texts may hold templates (`{{ inputs.n }}`, `{{ steps.ID }}`,
/// `{{ vars.x }}`, `{{ env.X }}`, `{{ secrets.X }}`, `{{ run.id }}`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Workflow {
    /// What it is called in calls; the file's name without `.yaml` if this is left out.
    pub id: String,
    /// What it is called for people; the id if this is left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it does, in a sentence or two.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the inputs, or only its properties. Defaults in it are applied, and inputs that do not fit are
    /// refused. Left out, any inputs will do.
    #[serde(skip_serializing_if = "is_none")]
    pub inputs: Option<Map<String, Value>>,
    /// What starts it besides a call.
    #[serde(skip_serializing_if = "is_none")]
    pub on: Option<On>,
    /// How many runs of it there may be at one time; others wait for their turn.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<u32>,
    /// How long a run may take.
    #[serde(skip_serializing_if = "is_none")]
    pub timeout: Option<Span>,
    /// Texts for its steps, as `env.NAME`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Secrets for its steps, as `secrets.NAME`: `${VARIABLE}` or `file:PATH`. They are masked wherever something is
    /// kept or shown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Which methods it may call at most: names, `mcp.fs.*` or `*`. Left out, whatever its owner may call.
    #[serde(skip_serializing_if = "is_none")]
    pub allow: Option<Vec<Pattern>>,
    /// What it does, one after the other.
    pub steps: Vec<Step>,
    /// What is done when a step failed and nothing caught that; the run then counts as completed.
    #[serde(skip_serializing_if = "is_none")]
    pub catch: Option<Catch>,
    /// What is done in the end, whatever happened before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finally: Vec<Step>,
    /// What the run comes to; the results of its steps by their ids if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub outputs: Option<Value>,
}

/// What starts a workflow besides a call.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct On {
    /// At certain times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<Schedule>,
    /// When files change.
    #[serde(skip_serializing_if = "is_none")]
    pub file_change: Option<FileChange>,
    /// When mail arrives.
    #[serde(skip_serializing_if = "is_none")]
    pub mail: Option<MailArrives>,
    /// When somebody calls; that is always so, and may be said.
    #[serde(skip_serializing_if = "is_none")]
    pub manual: Option<Value>,
}

/// Runs at certain times.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// When, as a line of crontab: `0 7 * * MON-FRI`, with seconds before it if wanted, or `@daily`.
    pub cron: String,
    /// In which time zone (`Europe/Berlin`); UTC if this is left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timezone: String,
    /// How late a run may begin that was missed while nothing ran; of several the last one. Nothing is made up for if
    /// this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub catch_up: Option<Span>,
    /// What happens when the one before it is still running.
    pub overlap: Overlap,
    /// Inputs of these runs.
    #[serde(skip_serializing_if = "is_none")]
    pub inputs: Option<Map<String, Value>>,
}

/// What happens when a run is due and the one before it is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It waits.
    Queue,
    /// The one before it is stopped.
    Replace,
    /// Both run.
    Allow,
}

/// Runs when files change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// The files and folders, from the virtual root.
    #[schemars(length(min = 1, max = 64))]
    pub paths: Vec<String>,
    /// How long nothing must have changed before it runs, so that many changes are one run; a second if this is left
    /// out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub quiet: Option<Span>,
}

/// Runs when mail arrives.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailArrives {
    /// The account.
    pub account: String,
    /// The folder; `INBOX` if this is left out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub folder: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde passes references")]
pub(super) fn is_none<T>(value: &Option<T>) -> bool {
    value.is_none()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}
