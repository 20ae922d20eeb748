//! `on: file_change`.

use std::convert::Infallible;

use protocol::Error;
use serde_json::json;
use workflow::Span;
use workflow::model::FileChange;

use super::new_run;
use super::watch::Watch;
use crate::library::Known;
use crate::service::{Agent, ticket};

/// Changes that are named in a run's cause.
const NAMED_MAX: usize = 100;

/// Begins a run after each change that is followed by quiet.
pub(super) async fn watch(agent: &Agent, known: &Known, files: &FileChange) -> Result<Infallible, Error> {
    let quiet = files.quiet.unwrap_or(Span::seconds(1)).duration();
    let mut watch = Watch::begin(agent, "mcp.fs.watch", &json!({ "paths": files.paths })).await?;
    loop {
        let first = watch.next().await?;
        if first.get("change").is_none() {
            continue;
        }
        let mut changes = vec![first];
        while let Some(told) = watch.within(quiet).await {
            if told.get("change").is_some() && changes.len() < NAMED_MAX && !changes.contains(&told) {
                changes.push(told);
            }
        }
        let cause = json!({ "by": "file_change", "changes": changes });
        if let Some(new) = new_run(known, &watch.caller, cause)? {
            let begin = ticket(&new);
            agent.journal().make(new).await?;
            agent.clerk().begin(begin);
        }
    }
}
