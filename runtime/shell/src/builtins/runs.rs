//! Workflows: `run`, which starts one and shows what it does, and `runs`, which lists what ran.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::options::Given;
use crate::failure::Failure;
use crate::render::Format;
use crate::session::{Flow, Session};

/// Between two news of a run: one that waits for a person says nothing meanwhile.
const PATIENCE: Duration = Duration::from_hours(24 * 7);

pub(super) async fn run(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let words = given.texts();
    let (id, inputs) = words.split_first().map_or(("", &[][..]), |(id, inputs)| (*id, inputs));
    let inputs = inputs.iter().map(|word| input(word)).collect::<Result<Map<_, _>, _>>()?;
    let asked = json!({ "workflow_id": id, "inputs": inputs });
    let begun = session.call("mcp.agent.runWorkflow", &asked).await?;
    let run = begun["execution_id"].as_str().unwrap_or_default().to_owned();
    let people = session.screen.format == Format::People;
    if people {
        session.screen.text(&format!("{run} began; Ctrl-C leaves it to go on by itself"))?;
    }
    let outcome = session
        .call_with("mcp.agent.followRun", &json!({ "execution_id": run }), PATIENCE, |screen, news| {
            if people && let Some(line) = line(&run, news) {
                screen.text(&line)?;
            }
            Ok(())
        })
        .await?;
    if !people {
        session.screen.value(&outcome)?;
        return Ok(Flow::Continue);
    }
    let status = outcome["status"].as_str().unwrap_or_default();
    if status == "completed" {
        session.screen.value(&outcome["output"])?;
        return Ok(Flow::Continue);
    }
    let why = outcome["error_message"].as_str().unwrap_or("it was stopped");
    Err(Failure::Refused(format!("{run} {status}: {why}")))
}

pub(super) async fn runs(session: &mut Session) -> Result<Flow, Failure> {
    let listed = session.call("mcp.agent.listRuns", &json!({ "limit": 20 })).await?;
    if session.screen.format != Format::People {
        session.screen.value(&listed)?;
        return Ok(Flow::Continue);
    }
    for run in listed["runs"].as_array().into_iter().flatten() {
        let word = |key: &str| run[key].as_str().unwrap_or_default();
        let why = run["error_message"].as_str().map_or_else(String::new, |why| format!("  {why}"));
        session.screen.text(&format!(
            "{}  {:<9}  {}  {}{why}",
            word("execution_id"),
            word("status"),
            word("created_time"),
            word("workflow_id")
        ))?;
    }
    Ok(Flow::Continue)
}

/// `name=value`; what reads as JSON is that.
fn input(word: &str) -> Result<(String, Value), Failure> {
    let (name, text) = word
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::Usage(format!("'{word}' is no input: write NAME=VALUE")))?;
    Ok((name.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))))
}

/// What happened, in a line; none for what is no news to a person.
fn line(run: &str, news: &Value) -> Option<String> {
    let (step, text) = (news["step"].as_str()?, news["text"].as_str()?);
    Some(match news["event"].as_str()? {
        "log" | "step_failed" | "retrying" => format!("{step}: {text}"),
        "step_completed" => format!("{step}: done"),
        "asks" => {
            format!("{step} asks: {text}\n  mcp.agent.approve {run} {step}, or mcp.agent.reject {run} {step}")
        }
        "emit" => format!("{step} tells: {text}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs() {
        assert_eq!(input("n=3").ok(), Some(("n".to_owned(), json!(3))));
        assert_eq!(input("path=/a=b").ok(), Some(("path".to_owned(), json!("/a=b"))));
        assert_eq!(input("list=[1]").ok(), Some(("list".to_owned(), json!([1]))));
        assert!(input("n").is_err() && input("=3").is_err());
    }

    #[test]
    fn lines() {
        let news = |event: &str| json!({ "event": event, "step": "a", "text": "hello" });
        assert_eq!(line("exec_1", &news("log")).as_deref(), Some("a: hello"));
        assert_eq!(line("exec_1", &news("step_started")), None);
        let asks = line("exec_1", &news("asks")).unwrap();
        assert!(asks.contains("mcp.agent.approve exec_1 a"), "{asks}");
    }
}
