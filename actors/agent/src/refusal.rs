//! Errors of the service: what happened, to what, and what to do.

use protocol::{Code, Error};
use serde_json::json;

/// As much of a caller's text as an error repeats, with nothing in it that could confuse a terminal.
pub(crate) fn shown(text: &str) -> String {
    const CHARS: usize = 120;
    let mut out: String = text.chars().take(CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS).is_some() {
        out.push('…');
    }
    out
}

/// -32041: inputs do not fit, or a text is no workflow.
pub(crate) fn inputs(message: impl Into<String>) -> Error {
    Error::new(Code::AgentInputs, message)
}

/// -32042: there is no such workflow, or it cannot be run.
pub(crate) fn workflow(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::AgentWorkflow, message).with_data(json!({ "kind": kind }))
}

/// -32043: there is no such run, or it is not in a state for this.
pub(crate) fn run(kind: &str, message: impl Into<String>) -> Error {
    Error::new(Code::AgentRun, message).with_data(json!({ "kind": kind }))
}

/// -32043 for a run that this caller does not see.
pub(crate) fn no_such_run(id: &str) -> Error {
    let id = shown(id);
    run("no_such_run", format!("There is no run '{id}'; mcp.agent.listRuns has those that there are."))
}
