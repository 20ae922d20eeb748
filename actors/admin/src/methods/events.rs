//! `mcp.admin.events`: what happened in the tree.

use std::sync::Arc;
use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use supervisor::Event;
use tokio::sync::broadcast::error::RecvError;

use crate::Admin;

/// Shows what happened in the supervision tree lately: starts, stops, failures, restarts. With `follow`, further
/// events arrive as `mcp.progress` notifications of this call, which ends when it is cancelled or the daemon stops.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    /// How many of the latest events to return.
    #[serde(default = "fifty")]
    #[schemars(range(min = 0, max = 1000))]
    limit: usize,
    /// Only events with a greater sequence number.
    #[serde(default)]
    since: u64,
    /// Keep the call open and send what happens from now on.
    #[serde(default)]
    follow: bool,
}

const fn fifty() -> usize {
    50
}

/// What happened, oldest first.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recent {
    /// Each with sequence number, time, path and what it was.
    events: Vec<Arc<Event>>,
}

impl Method for Events {
    const NAME: &'static str = "mcp.admin.events";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    const BILLED: bool = false;
    /// A follower follows for as long as it likes: its connection's end, or a cancel, ends it.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 365));

    type Reply = Recent;
    type Service = Admin;

    async fn call(self, context: &Context, admin: &Admin) -> Result<Recent, Error> {
        let tree = admin.tree()?;
        // Subscribed before the recent ones are read, so that none falls in between.
        let mut news = tree.follow();
        let mut events: Vec<Arc<Event>> =
            tree.events().into_iter().filter(|event| event.sequence > self.since).collect();
        events.drain(..events.len().saturating_sub(self.limit));
        if !self.follow {
            return Ok(Recent { events });
        }
        let mut last = 0;
        for event in &events {
            last = event.sequence;
            context.progress(event);
        }
        let stopping = &admin.shared.stopping;
        loop {
            let event = tokio::select! {
                event = news.recv() => event,
                _ = stopping.cancelled() => return Ok(Recent { events: Vec::new() }),
            };
            match event {
                Ok(event) if event.sequence > last => context.progress(&event),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => context.progress(&json!({ "missed": missed })),
                Err(RecvError::Closed) => return Ok(Recent { events: Vec::new() }),
            }
        }
    }
}
