//! `mcp.admin.restart`: stop an actor and start it anew.

use protocol::{Code, Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::no_such_actor;
use crate::Admin;

/// Restarts one actor, or a supervisor with all below it. Its calls under way are finished first, unless `how`
/// says otherwise; calls that arrive meanwhile are answered with error -32060, after which a retry is safe.
/// `kill` gets an actor unstuck that hangs; `kill` and `panic` also show that the tree heals itself.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestartActor {
    /// Its path (`root/services/fs`), or the last part of it where that is unique (`fs`).
    #[schemars(length(min = 1, max = 200))]
    id: String,
    /// `drain` finishes what is under way, `kill` cuts it off, `panic` makes the actor fail.
    #[serde(default)]
    how: How,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    #[default]
    Drain,
    Kill,
    Panic,
}

/// What was done.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restarted {
    /// The actor's path.
    path: String,
    /// Whether it runs again. `false` when that was not waited for: after `kill` and `panic`, and when this
    /// call's own actor is among those restarted. `mcp.admin.actor` tells.
    completed: bool,
}

impl Method for RestartActor {
    const NAME: &'static str = "mcp.admin.restart";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Task;

    type Reply = Restarted;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Restarted, Error> {
        let tree = admin.tree()?;
        let node = tree.actor(&self.id).ok_or_else(|| no_such_actor(&self.id))?;
        let path = node.path.to_string();
        match self.how {
            How::Kill => tree.kill(&path).map_err(|_| no_such_actor(&self.id))?,
            How::Panic => tree.panic(&path).await.map_err(|_| no_such_actor(&self.id))?,
            How::Drain => return admin.drain(path).await,
        }
        Ok(Restarted { path, completed: false })
    }
}

impl Admin {
    async fn drain(&self, path: String) -> Result<Restarted, Error> {
        let tree = self.tree()?.clone();
        let (tell, told) = oneshot::channel();
        let target = path.clone();
        self.shared.restarts.spawn(async move {
            let _ = tell.send(tree.restart(&target).await);
        });
        // The call would wait for its own end.
        if tree_holds(&path, "root/services/admin") {
            return Ok(Restarted { path, completed: false });
        }
        match told.await {
            Ok(Ok(())) => Ok(Restarted { path, completed: true }),
            Ok(Err(error)) => {
                Err(Error::new(Code::Unavailable, format!("'{path}' was not restarted: {error}.")))
            }
            Err(_) => Err(Error::internal("the restart was dropped")),
        }
    }
}

/// Whether the actor at `path` is `actor` or above it.
fn tree_holds(path: &str, actor: &str) -> bool {
    actor.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
