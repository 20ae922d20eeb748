//! What the unit tests of this crate share: a client that answers what it can, and calls of fixtures by their tool.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use protocol::mcp::{Capabilities, Inputs, LogLevel};
use protocol::{Caller, Cancel, Conclusion, Context, Entry, Error, Id, Outbox, Payload, Shape, Way};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Fixtures, methods};

/// A connection that remembers its news.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<Vec<String>>);

impl Memory {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Outbox for Memory {
    fn answer(&self, _: u64, _: Result<Payload, Error>) {}
    fn progress(&self, _: u64, value: String) {
        self.note(value);
    }
    fn conclude(&self, _: u64, _: Conclusion) {}
    fn notify(&self, _: u64, _: String) {}
    fn log(&self, _: u64, level: LogLevel, data: &Value) {
        self.note(format!("{level:?} {data}"));
    }
    fn extend(&self, _: u64, _: Instant) {}
    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

pub(crate) const ALL: Capabilities =
    Capabilities { elicitation: true, sampling: true, roots: true, tasks: true };

pub(crate) fn entries() -> Vec<Entry> {
    methods(&Fixtures { toggle_tool: Arc::new(|| {}), toggle_prompt: Arc::new(|| {}) }).unwrap()
}

/// A call's circumstances: who can be asked, what was answered in this round, and the state.
pub(crate) fn context(
    capabilities: Capabilities,
    answers: Map<String, Value>,
    state: Option<Value>,
) -> Context {
    Context {
        caller: Arc::new(Caller {
            name: "suite".into(),
            tier: "ELITE".into(),
            allow: None,
            way: Way::Internal,
            token: None,
            service: None,
            run: None,
        }),
        request_id: 1,
        deadline: Instant::now() + Duration::from_mins(1),
        cancel: Cancel::new(),
        shape: Shape::Named,
        inputs: Some(Arc::new(Inputs { capabilities, answers, state })),
        connection: None,
    }
}

/// Calls the fixture that is the tool `tool`.
pub(crate) async fn call(tool: &str, params: Value, context: Context) -> Result<Value, Error> {
    let entry = entries().into_iter().find(|entry| entry.tool_name() == tool);
    let entry = entry.unwrap_or_else(|| panic!("no tool {tool}"));
    let params = RawValue::from_string(params.to_string()).unwrap();
    let payload = entry.invoke(context, Some(params)).await?;
    Ok(serde_json::from_str(payload.as_str()).unwrap())
}
