//! What changes the tree: `mkdir`, `mv`, `cp`, `rm`.

use serde_json::{Value, json};

use super::options::Given;
use crate::editor::Said;
use crate::failure::Failure;
use crate::path;
use crate::render::Format;
use crate::session::{Flow, Session};

pub(super) async fn mkdir(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    for word in given.texts() {
        let path = path::absolute(&session.cwd(), word);
        let result =
            session.call("mcp.fs.mkdir", &json!({ "path": path, "parents": given.has('p') })).await?;
        report(session, &result)?;
    }
    Ok(Flow::Continue)
}

/// `mv` and `cp`: several things, or one, to a place.
pub(super) async fn transfer(session: &mut Session, given: Given, method: &str) -> Result<Flow, Failure> {
    let cwd = session.cwd();
    let mut paths: Vec<String> = given.texts().iter().map(|word| path::absolute(&cwd, word)).collect();
    let Some(to) = paths.pop() else { return Ok(Flow::Continue) };
    let into = match session.call("mcp.fs.stat", &json!({ "path": to })).await {
        Ok(stat) => stat["type"] == "directory",
        // Most often there is nothing there yet; whatever else it is, the call itself will say.
        Err(Failure::Call(_)) => false,
        Err(failure) => return Err(failure),
    };
    if paths.len() > 1 && !into {
        return Err(Failure::Refused(format!("{to} is not a directory, so it cannot take several files")));
    }
    for from in paths {
        let to = if into { path::absolute(&to, path::name(&from)) } else { to.clone() };
        let mut params = json!({ "from": from, "to": to });
        for (option, key) in [('f', "overwrite"), ('r', "recursive")] {
            if given.has(option) {
                params[key] = json!(true);
            }
        }
        let result = session.call(method, &params).await?;
        report(session, &result)?;
    }
    Ok(Flow::Continue)
}

pub(super) async fn rm(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let mut failed = false;
    for word in given.texts() {
        let path = path::absolute(&session.cwd(), word);
        if !given.has('f') && !agreed(session, &path, given.has('r')).await? {
            continue;
        }
        match session.call("mcp.fs.delete", &json!({ "path": path, "recursive": given.has('r') })).await {
            Ok(result) => {
                report(session, &result)?;
                if session.screen.format == Format::People {
                    let note = farewell(&path, &result);
                    session.screen.note(&note);
                }
            }
            Err(failure @ Failure::Call(_)) if given.words.len() > 1 => {
                session.screen.failure(&failure);
                failed = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if failed { Err(Failure::Reported) } else { Ok(Flow::Continue) }
}

async fn agreed(session: &Session, path: &str, recursive: bool) -> Result<bool, Failure> {
    let Some(prompter) = &session.prompter else {
        return Err(Failure::Usage("nobody is here to be asked: rm needs -f".into()));
    };
    let all = if recursive { " and all it holds" } else { "" };
    match prompter.ask(&format!("delete {path}{all}? [y/N] ")).await {
        Said::Line(answer) => Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")),
        Said::End => Ok(false),
        Said::Interrupted => Err(Failure::Interrupted),
    }
}

/// Where the file went, and the way back.
fn farewell(path: &str, result: &Value) -> String {
    match result["trash_id"].as_str() {
        Some(id) => format!("{path} is in the trash; undo: fs.restore {id}"),
        None => format!("{path} is deleted for good"),
    }
}

/// The results of changes matter to programs only; people see that nothing went wrong.
fn report(session: &mut Session, result: &Value) -> Result<(), Failure> {
    if session.screen.format == Format::Json {
        session.screen.value(result)?;
    }
    Ok(())
}
