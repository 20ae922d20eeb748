//! A step: when it is done, how often, what is done about its failures, and which of the kinds it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::doing::{Agent, Approve, Case, Docker, Emit, Http, Llm, Log, Parallel, Raise, Sub, Wait};
use super::is_none;
use crate::span::Span;

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
