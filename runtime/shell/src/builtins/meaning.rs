//! Finding by what is in files: `search`, and `embed`, which shows how far it is.

use std::time::Duration;

use serde_json::{Value, json};

use super::folder::odd;
use super::options::Given;
use crate::failure::Failure;
use crate::path;
use crate::render::Format;
use crate::session::{Flow, Session};

/// A large folder takes an hour.
const PATIENCE: Duration = Duration::from_hours(24);

pub(super) async fn search(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let query = given.texts().join(" ");
    let mode = match (given.has('w'), given.has('m')) {
        (true, false) => "keyword",
        (false, true) => "semantic",
        _ => "hybrid",
    };
    let mut params = json!({ "query": query, "mode": mode, "top_k": 10 });
    if given.has('h') {
        params["scope"] = json!(session.cwd());
    }
    let result = session.call("mcp.fs.search", &params).await?;
    if session.screen.format == Format::Json {
        session.screen.value(&result)?;
        return Ok(Flow::Continue);
    }
    for hit in result["results"].as_array().ok_or_else(|| odd("it has no results"))? {
        show(session, hit)?;
    }
    if let Some(note) = result["note"].as_str() {
        session.screen.note(note);
    }
    if let Some(why) = result["without_meaning"].as_str() {
        session.screen.note(&format!("words only: {why}"));
    }
    Ok(Flow::Continue)
}

/// A hit: where it is on a line, what it says below.
fn show(session: &mut Session, hit: &Value) -> Result<(), Failure> {
    let path = hit["path"].as_str().ok_or_else(|| odd(hit))?;
    let line = hit["lines"][0].as_u64().unwrap_or(1);
    let trail = hit["trail"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let trail = trail.collect::<Vec<_>>().join(" \u{203a} ");
    let score = hit["score"].as_f64().unwrap_or_default();
    session.screen.name(&format!("{path}:{line}  {score:.2}  {trail}"))?;
    for text in hit["snippet"].as_str().unwrap_or_default().lines() {
        session.screen.name(&format!("    {}", text.trim_end()))?;
    }
    Ok(())
}

pub(super) async fn embed(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let at = path::absolute(&session.cwd(), given.texts().first().copied().unwrap_or("."));
    let params = json!({ "path": at, "recursive": true });
    let people = session.screen.format == Format::People;
    let mut told = String::new();
    let result = session
        .call_with("mcp.fs.embed", &params, PATIENCE, |screen, news| {
            let now = progress(news);
            if people && now != told {
                screen.note(&now);
                told = now;
            }
            Ok(())
        })
        .await?;
    if !people {
        session.screen.value(&result)?;
        return Ok(Flow::Continue);
    }
    let count = |key: &str| result[key].as_u64().unwrap_or_default();
    session.screen.own(&format!(
        "{} files can be searched, {} have no text; {} pieces can be found by meaning",
        count("files"),
        count("skipped"),
        count("total_embeddings_in_index"),
    ))?;
    if let Some(why) = result["status"].as_str().filter(|status| *status != "ok") {
        session.screen.note(why);
    }
    Ok(Flow::Continue)
}

fn progress(news: &Value) -> String {
    let count = |key: &str| news[key].as_u64().unwrap_or_default();
    let (files, waiting) = (count("files"), count("files_waiting"));
    let (done, left) = (count("embeddings"), count("embeddings_waiting"));
    if waiting > 0 {
        format!("{files} files read, {waiting} to go")
    } else {
        format!("{done} pieces, {left} to go")
    }
}
