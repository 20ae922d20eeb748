//! What a workflow is, as its file says it. The doc comments are the published description of the format
//! (`workflows/workflow.schema.json`).

use std::collections::BTreeMap;

use protocol::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::span::Span;

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

/// One step. It says exactly one of what it does: `call`, `llm`, `agent`, `http`, `docker`, `sleep`, `wait`, `approve`,
/// `parallel`, `switch`, `set`, `log`, `emit`, `workflow`, `raise` or `steps`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// What its result is called: `steps.ID`. Made of its place if this is left out.
    pub id: String,
    /// What it is called for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether it is done at all.
    #[serde(rename = "if", skip_serializing_if = "is_none")]
    pub condition: Option<Condition>,
    /// Steps of the same list that must be done before it. In a list in which any step says this, a step that does not
    /// needs the one before it, and `[]` needs none: steps that do not need one another run at the same time.
    #[serde(skip_serializing_if = "is_none")]
    pub needs: Option<Vec<String>>,
    /// It is done once for each of these; its result is a list.
    #[serde(skip_serializing_if = "is_none")]
    pub for_each: Option<ForEach>,
    /// What is done about a failure.
    #[serde(skip_serializing_if = "is_none")]
    pub retry: Option<Retry>,
    /// How long one try may take.
    #[serde(skip_serializing_if = "is_none")]
    pub timeout: Option<Span>,
    /// What is done when it has failed.
    #[serde(skip_serializing_if = "is_none")]
    pub catch: Option<Catch>,
    /// What is done after it, whatever became of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finally: Vec<Self>,
    /// What its result is instead; `result` is what it came to.
    #[serde(skip_serializing_if = "is_none")]
    pub outputs: Option<Value>,
    /// Whether it may be done again when nobody knows whether it was done: `true` for what is safe twice, `false` for
    /// what is not. Left out, the method's own annotations say so.
    #[serde(skip_serializing_if = "is_none")]
    pub idempotent: Option<bool>,

    /// Calls a method or a tool: `mcp.fs.write`, `fs_write`.
    #[serde(skip_serializing_if = "is_none")]
    pub call: Option<String>,
    /// The params of `call`.
    #[serde(skip_serializing_if = "is_none")]
    pub with: Option<Value>,
    /// Asks a language model.
    #[serde(skip_serializing_if = "is_none")]
    pub llm: Option<Llm>,
    /// Has a language model work with tools.
    #[serde(skip_serializing_if = "is_none")]
    pub agent: Option<Agent>,
    /// Sends a request over HTTP.
    #[serde(skip_serializing_if = "is_none")]
    pub http: Option<Http>,
    /// Runs a container.
    #[serde(skip_serializing_if = "is_none")]
    pub docker: Option<Docker>,
    /// Waits so long: `2s`.
    #[serde(skip_serializing_if = "is_none")]
    pub sleep: Option<Value>,
    /// Waits until a time.
    #[serde(skip_serializing_if = "is_none")]
    pub wait: Option<Wait>,
    /// Waits until a person agrees.
    #[serde(skip_serializing_if = "is_none")]
    pub approve: Option<Approve>,
    /// Does several things at the same time.
    #[serde(skip_serializing_if = "is_none")]
    pub parallel: Option<Parallel>,
    /// Does the first of these whose condition holds.
    #[serde(skip_serializing_if = "is_none")]
    pub switch: Option<Vec<Case>>,
    /// Gives variables values: `vars.NAME` from here on.
    #[serde(skip_serializing_if = "is_none")]
    pub set: Option<Map<String, Value>>,
    /// Writes a line into the run's log.
    #[serde(skip_serializing_if = "is_none")]
    pub log: Option<Log>,
    /// Tells an event to whoever follows the run.
    #[serde(skip_serializing_if = "is_none")]
    pub emit: Option<Emit>,
    /// Runs another workflow and waits for it; its result is what that one came to.
    #[serde(skip_serializing_if = "is_none")]
    pub workflow: Option<Sub>,
    /// Fails.
    #[serde(skip_serializing_if = "is_none")]
    pub raise: Option<Raise>,
    /// Steps that are one: caught, repeated or left out together.
    #[serde(skip_serializing_if = "is_none")]
    pub steps: Option<Vec<Self>>,
}

/// Whether something is so: an expression such as `inputs.n > 3`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Condition {
    /// Always or never.
    Fixed(bool),
    /// An expression, with braces or without.
    Expression(String),
}

/// For what a step is done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ForEach {
    /// These.
    List(Vec<Value>),
    /// An expression that comes to a list.
    Expression(String),
    /// The same, with what else there is to say.
    Full(Each),
}

/// For what a step is done, and how.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// A list, or an expression that comes to one.
    #[serde(rename = "in")]
    pub over: Value,
    /// What each is called; `item` if this is left out. `index` counts from 0.
    #[serde(default, rename = "as", skip_serializing_if = "is_none")]
    pub name: Option<String>,
    /// How many at the same time; one after the other if this is left out. With more than one, what they `set` is their
    /// own.
    #[serde(default, skip_serializing_if = "is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_parallel: Option<usize>,
}

/// What is done about a failure.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Retry {
    /// So many further tries, a second apart and then longer.
    Max(u32),
    /// The same, with what else there is to say.
    Full(Again),
}

/// Further tries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Again {
    /// How many further tries; three if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub max: Option<u32>,
    /// How long to wait before the first of them; a second if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub backoff: Option<Span>,
    /// How many times longer each wait is than the one before; 2 if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub factor: Option<f64>,
    /// The longest wait; five minutes if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub max_backoff: Option<Span>,
    /// By which part of itself a wait may be longer or shorter, by chance: `0.5` is half. None if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: Option<f64>,
    /// Which failures: an expression with `error` (`error.kind`, `error.message`, `error.code`, `error.data`).
    #[serde(skip_serializing_if = "is_none")]
    pub when: Option<Condition>,
}

/// What is done when something failed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Catch {
    /// These steps, with `error`.
    Steps(Vec<Step>),
    /// The same, with what else there is to say.
    Full(Handler),
}

/// What is done about which failures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// Which failures: an expression with `error`.
    #[serde(default, skip_serializing_if = "is_none")]
    pub when: Option<Condition>,
    /// What the failure is called; `error` if this is left out.
    #[serde(default, rename = "as", skip_serializing_if = "is_none")]
    pub name: Option<String>,
    /// What is done. The step's result is that of the last of them.
    pub steps: Vec<Step>,
}

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
    /// Files that it finds in `/inputs`, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub files: Map<String, Value>,
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
    /// Whether it has a network; it has none if this is left out.
    #[serde(skip_serializing_if = "is_none")]
    pub network: Option<bool>,
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
    /// Steps by a name of the branch. The result is a mapping of what each came to.
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

/// What a step does.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields of Step say it")]
pub enum Kind<'a> {
    Call(&'a str, Option<&'a Value>),
    Llm(&'a Llm),
    Agent(&'a Agent),
    Http(&'a Http),
    Docker(&'a Docker),
    Sleep(&'a Value),
    Wait(&'a Wait),
    Approve(&'a Approve),
    Parallel(&'a Parallel),
    Switch(&'a [Case]),
    Set(&'a Map<String, Value>),
    Log(&'a Log),
    Emit(&'a Emit),
    Workflow(&'a Sub),
    Raise(&'a Raise),
    Steps(&'a [Step]),
}

/// The fields of a step that say what it does.
pub(crate) const KINDS: &[&str] = &[
    "call", "llm", "agent", "http", "docker", "sleep", "wait", "approve", "parallel", "switch", "set", "log",
    "emit", "workflow", "raise", "steps",
];

impl Step {
    /// What it does; the first of what it says, which in a workflow that was read is the only one.
    pub fn kind(&self) -> Option<Kind<'_>> {
        None.or_else(|| self.call.as_deref().map(|call| Kind::Call(call, self.with.as_ref())))
            .or_else(|| self.llm.as_ref().map(Kind::Llm))
            .or_else(|| self.agent.as_ref().map(Kind::Agent))
            .or_else(|| self.http.as_ref().map(Kind::Http))
            .or_else(|| self.docker.as_ref().map(Kind::Docker))
            .or_else(|| self.sleep.as_ref().map(Kind::Sleep))
            .or_else(|| self.wait.as_ref().map(Kind::Wait))
            .or_else(|| self.approve.as_ref().map(Kind::Approve))
            .or_else(|| self.parallel.as_ref().map(Kind::Parallel))
            .or_else(|| self.switch.as_deref().map(Kind::Switch))
            .or_else(|| self.set.as_ref().map(Kind::Set))
            .or_else(|| self.log.as_ref().map(Kind::Log))
            .or_else(|| self.emit.as_ref().map(Kind::Emit))
            .or_else(|| self.workflow.as_ref().map(Kind::Workflow))
            .or_else(|| self.raise.as_ref().map(Kind::Raise))
            .or_else(|| self.steps.as_deref().map(Kind::Steps))
    }
}

impl Kind<'_> {
    /// The field that says it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Call(..) => "call",
            Self::Llm(_) => "llm",
            Self::Agent(_) => "agent",
            Self::Http(_) => "http",
            Self::Docker(_) => "docker",
            Self::Sleep(_) => "sleep",
            Self::Wait(_) => "wait",
            Self::Approve(_) => "approve",
            Self::Parallel(_) => "parallel",
            Self::Switch(_) => "switch",
            Self::Set(_) => "set",
            Self::Log(_) => "log",
            Self::Emit(_) => "emit",
            Self::Workflow(_) => "workflow",
            Self::Raise(_) => "raise",
            Self::Steps(_) => "steps",
        }
    }
}

impl Catch {
    /// What is done, about which failures, and what the failure is called.
    pub fn parts(&self) -> (&[Step], Option<&Condition>, &str) {
        match self {
            Self::Steps(steps) => (steps, None, "error"),
            Self::Full(full) => (&full.steps, full.when.as_ref(), full.name.as_deref().unwrap_or("error")),
        }
    }
}

impl Condition {
    /// It as an expression.
    pub fn source(&self) -> &str {
        match self {
            Self::Fixed(true) => "true",
            Self::Fixed(false) => "false",
            Self::Expression(source) => source,
        }
    }
}

impl ForEach {
    /// Over what, what each is called, and how many at the same time.
    pub fn parts(&self) -> (Value, &str, usize) {
        match self {
            Self::List(list) => (Value::Array(list.clone()), "item", 1),
            Self::Expression(source) => (Value::String(source.clone()), "item", 1),
            Self::Full(each) => {
                (each.over.clone(), each.name.as_deref().unwrap_or("item"), each.max_parallel.unwrap_or(1))
            }
        }
    }
}

impl Retry {
    /// It with everything said.
    pub fn full(&self) -> Again {
        match self {
            Self::Max(max) => Again { max: Some(*max), ..Again::default() },
            Self::Full(again) => again.clone(),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn is_none<T>(value: &Option<T>) -> bool {
    value.is_none()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !*value
}
