//! Runs and events as callers see them, and how one is followed.

use protocol::{Context, Error};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::journal::time;
use crate::record::{Row, Run, State, StepState, Told};
use crate::service::Agent;

/// Between looks at a run of which no news come: another process may run it.
const LOOK: Duration = Duration::from_secs(1);

/// Events that are read at once.
const PAGE: usize = 500;

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunView {
    /// What it is called in other calls.
    pub(crate) execution_id: String,
    /// The workflow.
    pub(crate) workflow_id: String,
    /// How it is.
    pub(crate) status: State,
    /// When it was made (RFC 3339, UTC).
    pub(crate) created_time: String,
    /// When it began, or null.
    pub(crate) start_time: Option<String>,
    /// When it ended, or null.
    pub(crate) end_time: Option<String>,
    /// As whom it calls.
    pub(crate) owner: String,
    /// What started it: `call`, `schedule`, `file_change`, `mail` or `workflow`.
    pub(crate) started_by: String,
    /// The run that it is a step of, or null.
    pub(crate) parent: Option<String>,
    /// Why it failed, or null.
    pub(crate) error_message: Option<String>,
}

impl RunView {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            execution_id: run.id.clone(),
            workflow_id: run.workflow.clone(),
            status: run.state,
            created_time: time(run.created_ms),
            start_time: run.started_ms.map(time),
            end_time: run.ended_ms.map(time),
            owner: run.owner.name().to_owned(),
            started_by: run.cause["by"].as_str().unwrap_or_default().to_owned(),
            parent: run.parent.clone(),
            error_message: error_message(run),
        }
    }
}

/// Why it failed, for a person.
pub(crate) fn error_message(run: &Run) -> Option<String> {
    let error = run.error.as_ref()?;
    let message = error["message"].as_str().unwrap_or_default();
    match error["step"].as_str() {
        Some(step) if !step.is_empty() => Some(format!("{step}: {message}")),
        _ => Some(message.to_owned()),
    }
}

/// A step of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StepView {
    /// Its place: `read`, `each[3]/write`, `fork/left/x`.
    step: String,
    /// What it does: `call`, `sleep` …
    kind: String,
    /// How it is.
    state: StepState,
    /// Which try it is.
    attempt: u32,
    /// When this try began (RFC 3339, UTC).
    begun: String,
    /// Until when it waits, or null.
    until: Option<String>,
    /// What a person is asked, or what it was about to do; or null.
    detail: Option<String>,
    /// Its result, or its failure; or null.
    outcome: Option<Value>,
}

impl StepView {
    pub(crate) fn of(row: Row) -> Self {
        Self {
            step: row.path,
            kind: row.kind,
            state: row.state,
            attempt: row.attempt,
            begun: time(row.begun_ms),
            until: row.until_ms.map(time),
            detail: row.detail,
            outcome: row.outcome,
        }
    }
}

/// Something that happened in a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventView {
    /// Its number; greater ones are later.
    seq: i64,
    /// When it happened (RFC 3339, UTC).
    time: String,
    /// The step, by its place; empty for the whole run.
    step: String,
    /// What happened: `step_started`, `step_completed`, `step_failed`, `retrying`, `asks`, `decided`, `set`, `log`, `emit`,
    /// `run`, `completed`, `failed` or `stopped`.
    event: String,
    /// The same, for a person.
    text: String,
    /// What goes with it, or null.
    data: Option<Value>,
}

impl EventView {
    pub(crate) fn of(told: Told) -> Self {
        Self {
            seq: told.seq,
            time: time(told.at_ms),
            step: told.path,
            event: told.what,
            text: told.text,
            data: told.data,
        }
    }
}

/// An event as a line of a log.
pub(crate) fn line(told: &Told) -> String {
    let level = told.data.as_ref().and_then(|data| data["level"].as_str()).filter(|_| told.what == "log");
    let level = level.unwrap_or(if told.what.ends_with("failed") { "error" } else { "info" }).to_uppercase();
    let what = if told.what == "log" { String::new() } else { format!("{}: ", told.what) };
    let step = if told.path.is_empty() { String::new() } else { format!("[{}] ", told.path) };
    format!("{} {level} {step}{what}{}", time(told.at_ms), told.text)
}

/// Tells what happens in a run until it is over, from after the event `after` on; how it ended, and the last event.
pub(crate) async fn follow(
    agent: &Agent,
    context: &Context,
    id: &str,
    mut after: i64,
    until_waiting: bool,
) -> Result<(Run, i64), Error> {
    loop {
        // Before it is looked: what happens after that is news.
        let live = agent.lives().get(id);
        let mut watching = live.as_ref().map(|live| (live.news.subscribe(), live.over.subscribe()));
        if let Some((news, _)) = &mut watching {
            news.borrow_and_update();
        }
        let run = agent.run(&context.caller, id).await?;
        loop {
            let events = agent.journal().events(run.seq, after, PAGE).await?;
            let full = events.len() == PAGE;
            for told in events {
                after = told.seq;
                let event = EventView::of(told);
                let mut news = serde_json::to_value(&event).map_err(Error::internal)?;
                news["execution_id"] = id.into();
                news["status"] = json!(run.state);
                news["progress"] = json!(event.seq);
                news["message"] = json!(if event.step.is_empty() {
                    event.text.clone()
                } else {
                    format!("{}: {}", event.step, event.text)
                });
                context.progress(&news);
            }
            if !full {
                break;
            }
        }
        if !run.state.is_active() || (until_waiting && run.state == State::Waiting) {
            return Ok((run, after));
        }
        match &mut watching {
            Some((news, over)) => tokio::select! {
                _ = news.changed() => {}
                _ = over.changed() => {}
                () = sleep(LOOK) => {}
            },
            None => sleep(LOOK / 20).await,
        }
    }
}

/// What kind of JSON a value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
