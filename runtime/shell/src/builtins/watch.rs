//! The daemon at work: `ps`, `events`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::folder::short_time;
use crate::failure::Failure;
use crate::render::{Align, Format, Ink, Screen, Table};
use crate::session::{Flow, Session};

pub(super) async fn events(session: &mut Session) -> Result<Flow, Failure> {
    let show = |screen: &mut Screen, value: &Value| match (screen.format, value.as_object()) {
        (Format::People, Some(event)) => screen.name(&event_line(event)),
        _ => screen.value(value),
    };
    // Silence is good news here, so it has no limit.
    let result =
        session.call_with("mcp.admin.events", &json!({ "follow": true }), Duration::MAX, show).await?;
    session.screen.result(&result)?;
    Ok(Flow::Continue)
}

/// When, who, what, and the particulars.
fn event_line(event: &Map<String, Value>) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut words: Vec<String> = Vec::new();
    if let Some(time) = event.get("time").and_then(Value::as_str) {
        words.push(short_time(time, true));
    }
    words.extend(["path", "event"].iter().filter_map(|key| event.get(*key)).map(plain));
    let told = |key: &str| matches!(key, "sequence" | "time" | "path" | "event");
    words.extend(
        event.iter().filter(|(key, _)| !told(key)).map(|(key, value)| format!("{key}={}", plain(value))),
    );
    words.join("  ")
}

pub(super) async fn ps(session: &mut Session) -> Result<Flow, Failure> {
    let root = session.call("mcp.admin.tree", &json!({})).await?;
    if session.screen.format == Format::Json {
        session.screen.value(&root)?;
        return Ok(Flow::Continue);
    }
    let mut table = Table::new(&[
        ("Actor", Align::Left),
        ("Kind", Align::Left),
        ("State", Align::Left),
        ("Restarts", Align::Right),
        ("Handled", Align::Right),
        ("In flight", Align::Right),
        ("Waiting", Align::Right),
        ("Last failure", Align::Left),
    ]);
    actor_rows(&root, 0, &mut table);
    session.screen.table(&table)?;
    Ok(Flow::Continue)
}

/// One row for an actor and each below it, indented by depth.
fn actor_rows(node: &Value, depth: usize, table: &mut Table) {
    let text = |key: &str| node[key].as_str().unwrap_or("-").to_owned();
    let number = |key: &str| node[key].as_u64().map_or_else(|| "-".to_owned(), |number| number.to_string());
    let state = text("state");
    let failure = match node["last_failure"]["text"].as_str() {
        Some(text) => {
            format!("{} {text}", short_time(node["last_failure"]["time"].as_str().unwrap_or_default(), true))
        }
        None => String::new(),
    };
    let ink = if state == "running" { Ink::Good } else { Ink::Bad };
    table.row([
        (&format!("{}{}", "  ".repeat(depth), text("id")), None),
        (&text("kind"), None),
        (&state, Some(ink)),
        (&number("restarts"), None),
        (&number("handled"), None),
        (&number("in_flight"), None),
        (&number("depth"), None),
        (&failure, Some(Ink::Faint)),
    ]);
    for child in node["children"].as_array().into_iter().flatten() {
        actor_rows(child, depth + 1, table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines() {
        let event = json!({
            "sequence": 7, "time": "2026-01-02T03:04:05.6Z", "path": "services/fs", "event": "failed", "text": "x y"
        });
        let line = event_line(event.as_object().unwrap());
        assert_eq!(line, "2026-01-02 03:04:05  services/fs  failed  text=x y");
        assert_eq!(event_line(json!({ "missed": 3 }).as_object().unwrap()), "missed=3");
    }
}
