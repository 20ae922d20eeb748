//! A daemon with a backend, callers who never pause, and somebody who watches and breaks things.

use harness::client::gone;
use harness::{Daemon, Setup, Toy, until};
use serde_json::{Value, json};

use crate::line::{Door, Line};
use crate::load::Load;

pub(crate) struct Scene {
    pub(crate) daemon: Daemon,
    pub(crate) load: Load,
    pub(crate) watcher: Line,
    pub(crate) _toy: Toy,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        // One connection to the backend, so that it is known how many are kept open.
        let settings = "backends:\n  connections_per_backend: 1\n".to_owned();
        let daemon = Setup { settings, ..Setup::default() }.start().await;
        // Before anybody else, so that its session is the first at the UNIX sockets.
        let watcher = Line::new(Door::unix(&daemon, "gateway"));
        let toy = Toy::start(&daemon.dir().join("run"), "toy");
        watcher.eventually("mcp.toy.echo", json!(["hello"])).await;
        let load = Load::start(&daemon).await;
        Self { daemon, load, watcher, _toy: toy }
    }

    /// Kills the actor at `path`, or makes it panic, and waits until it is back; a session's client comes back by
    /// itself.
    pub(crate) async fn fell(&self, path: &str, how: &str) {
        // A link is started by discovery, which may have fallen just before, some time after its branch is back.
        let mut before = None;
        until(&format!("{path} is there"), async || {
            before = self.actor(path).await;
            before.is_some()
        })
        .await;
        let before = before.expect("it has been waited for");
        // The answer may fall with the victim; anything else that goes wrong here is a mistake of ours.
        if let Err(error) = self.watcher.call("mcp.admin.restart", json!({ "id": path, "how": how })).await {
            let fell_too = error == gone() || error["code"] == -32061;
            assert!(fell_too, "{how} {path}: {error}; before: {before}\n{}", self.daemon.log());
        }
        let session = path.contains("sessions/");
        until(&format!("{path} is back"), async || match self.actor(path).await {
            None => session,
            Some(after) => {
                let again = before["restarts"].as_u64().map(|restarts| restarts + 1);
                !session && after["state"] == "running" && after["restarts"].as_u64() == again
            }
        })
        .await;
    }

    /// One actor; `None` when there is none at `path`.
    pub(crate) async fn actor(&self, path: &str) -> Option<Value> {
        loop {
            match self.watcher.call("mcp.admin.actor", json!({ "id": path })).await {
                Ok(node) => return Some(node),
                Err(error) if error["code"] == -32602 => return None,
                Err(_) => {}
            }
        }
    }

    /// Waits until the daemon says that everything runs.
    pub(crate) async fn healthy(&self) {
        let asked = async || self.watcher.call("mcp.admin.health", json!({})).await;
        until("all is well", async || asked().await.is_ok_and(|health| health["status"] == "ok")).await;
    }

    /// The numbers of the sessions of `kind`, in the order in which they began.
    pub(crate) async fn sessions(&self, kind: &str) -> Vec<u64> {
        let node = self.actor("root/edges/sessions").await.expect("it is there");
        let number =
            |child: &Value| child["id"].as_str()?.strip_prefix(kind)?.strip_prefix('-')?.parse().ok();
        let children = node["children"].as_array().into_iter().flatten();
        let children = children.filter(|child| child["state"] == "running");
        let mut numbers: Vec<u64> = children.filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Ends the callers, who must have lost nothing since they were last asked.
    pub(crate) async fn end(self) -> Daemon {
        assert!(self.load.good() > 0, "the callers were answered");
        let mishaps = self.load.stop().await;
        assert!(mishaps.is_empty(), "after all: {mishaps:?}");
        self.daemon
    }
}
