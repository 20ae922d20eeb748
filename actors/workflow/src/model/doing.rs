//! What steps do, kind by kind, as the file says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::step::{Condition, Step};
use super::{is_false, is_none};
use crate::span::Span;

/// A question to a language model, as `mcp.llm.chat` takes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// The model's alias; the default one if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub model: Option<String>,
    /// What the model is told to be.
    #[serde(skip_serializing_if = "is_none")]
    pub system: Option<String>,
    /// The question.
    #[serde(skip_serializing_if = "is_none")]
    pub prompt: Option<String>,
    /// The conversation instead of `prompt`: objects with `role` and `content`.
    #[serde(skip_serializing_if = "is_none")]
    pub messages: Option<Value>,
    /// The JSON Schema of the answer: it is then JSON, checked, and in `json` of the result.
    #[serde(skip_serializing_if = "is_none")]
    pub schema: Option<Map<String, Value>>,
    /// Further fields of the request: `temperature`, `max_tokens`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

/// A language model that works with tools until it has an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// The model's alias; the default one if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub model: Option<String>,
    /// What the model is told to be.
    #[serde(skip_serializing_if = "is_none")]
    pub system: Option<String>,
    /// What it is to do.
    pub prompt: String,
    /// Which methods it may call, as `fs_read`, `mcp.fs.read` or `mcp.fs.*`; none if this is left out.
    pub tools: Vec<String>,
    /// Which of them a person must agree to, each time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<String>,
    /// The JSON Schema of the answer: it is then JSON, checked, and in `json` of the result.
    #[serde(skip_serializing_if = "is_none")]
    pub schema: Option<Map<String, Value>>,
    /// How often the model is asked at most; 16 if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_turns: Option<u32>,
    /// How many tools it may call in all; 64 if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub max_tool_calls: Option<u32>,
    /// How many tokens it may use in all; 200000 if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_tokens: Option<u64>,
    /// How much money its model may cost in all, in the unit of the prices in models.yaml; a model without prices costs
    /// nothing. Without this, only its owner's own limits hold.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub max_cost: Option<f64>,
    /// Further fields of the requests: `temperature`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

/// A request over HTTP.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// `GET` if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub method: Option<String>,
    /// Where to.
    pub url: String,
    /// Headers.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// What is put behind `?`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// A body, as JSON.
    #[serde(skip_serializing_if = "is_none")]
    pub json: Option<Value>,
    /// A body, as text.
    #[serde(skip_serializing_if = "is_none")]
    pub body: Option<String>,
    /// How long it may take; the step's own time if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub timeout: Option<Span>,
    /// Which answers are none to fail at; any of 200 to 299 if this is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect_status: Vec<u16>,
}

/// A container that runs to its end.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// The image; it must be among those that the settings allow.
    pub image: String,
    /// What runs in it; the image's own if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub command: Option<Value>,
    /// What it finds in `/run/inputs/inputs.json`; an empty mapping if this is left out. Never in its environment, which
    /// every program that it starts has too.
    #[serde(skip_serializing_if = "is_none")]
    pub inputs: Option<Value>,
    /// Its environment.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub env: Map<String, Value>,
    /// How much memory it may take, in MiB.
    #[serde(skip_serializing_if = "is_none")]
    pub memory: Option<u64>,
    /// How many cores it may use.
    #[serde(skip_serializing_if = "is_none")]
    pub cpus: Option<f64>,
    /// How many processes it may have.
    #[serde(skip_serializing_if = "is_none")]
    pub pids: Option<u64>,
    /// Which network of the engine's it has, among those that the settings allow; none if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub network: Option<String>,
    /// How long it may take; the step's own time if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub timeout: Option<Span>,
}

/// Waits until a time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The time (RFC 3339): `2027-01-01T08:00:00Z`.
    pub until: String,
}

/// Waits until a person agrees.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Approve {
    /// What the person is asked.
    Text(String),
    /// The same, with what else there is to say.
    Full(Question),
}

/// A question to a person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What the person is asked.
    pub message: String,
    /// How long the answer is waited for; for ever if this is left out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub timeout: Option<Span>,
    /// What counts when nobody has answered.
    #[serde(default)]
    pub on_timeout: Silence,
}

/// What no answer means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Silence {
    /// No.
    #[default]
    Reject,
    /// Yes.
    Approve,
}

/// Several things at the same time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// Steps by a name of the branch. The result is a mapping of what each came to. Where one fails, the others are
    /// still brought to their end, so that nothing is left half done; the step then fails as the first of them by name.
    pub branches: BTreeMap<String, Vec<Step>>,
    /// Whether the first branch that is done is the result and the others are stopped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub compete: bool,
}

/// One of several ways.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// When it is taken; always, if this is left out, which only the last can say.
    #[serde(default, skip_serializing_if = "is_none")]
    pub when: Option<Condition>,
    /// What is done. The result is that of the last of them.
    pub steps: Vec<Step>,
}

/// A line in the run's log.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Log {
    /// What it says.
    Text(String),
    /// The same, with its level.
    Full(Line),
}

/// A line in the run's log, with its level.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// How much it matters.
    #[serde(default)]
    pub level: Level,
    /// What it says.
    pub message: String,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For whoever looks closely.
    Debug,
    /// How things go.
    #[default]
    Info,
    /// Not as it should be.
    Warning,
    /// Wrong.
    Error,
}

/// An event for whoever follows the run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// What it is called.
    pub event: String,
    /// What goes with it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub data: Option<Value>,
}

/// Another workflow.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Sub {
    /// Its id.
    Id(String),
    /// The same, with its inputs.
    Full(SubRun),
}

/// Another workflow, with its inputs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubRun {
    /// Its id.
    pub id: String,
    /// Its inputs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub inputs: Map<String, Value>,
}

/// A failure.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Raise {
    /// What it says.
    Text(String),
    /// The same, with its kind.
    Full(Raised),
}

/// A failure, with its kind.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    /// What `error.kind` is; `raised` if this is left out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub kind: Option<String>,
    /// What it says.
    pub message: String,
    /// What `error.data` is.
    #[serde(default, skip_serializing_if = "is_none")]
    pub data: Option<Value>,
}
