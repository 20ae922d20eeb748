//! Workflows as people use them: files in a folder, run by the real daemon, killed in the middle, and going on.

mod agents;
mod counting;
#[allow(dead_code, clippy::unwrap_used, reason = "it is another test's, which uses all of it")]
#[path = "../../actors/containers/tests/it/docker.rs"]
mod docker;
mod durable;
mod format;
mod mail;
mod many;
mod outside;
mod persons;
mod reaching;
mod scenarios;
mod schedules;
mod shell;
mod shipped;
mod triggers;

use std::time::{Duration, Instant};

use harness::{Client, Daemon, Setup};
use serde_json::{Value, json};

/// A daemon that has workflows, and somebody who runs them.
pub(crate) struct Scene {
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
}

impl Scene {
    /// A daemon with these workflows: name and text.
    pub(crate) async fn new(workflows: &[(&str, &str)]) -> Self {
        Self::with(workflows, Setup::default()).await
    }

    /// The same, set up otherwise.
    pub(crate) async fn with(workflows: &[(&str, &str)], setup: Setup) -> Self {
        let folder = std::sync::Arc::new(tempfile::tempdir().expect("a folder"));
        setup.lay_out(folder.path()).await;
        for (name, text) in workflows {
            std::fs::write(folder.path().join("workflows").join(format!("{name}.yaml")), text)
                .expect("a file");
        }
        let daemon = setup.start_in(folder).await;
        Self { client: daemon.client().await, daemon }
    }

    /// Puts a workflow into the folder and waits until it is known.
    pub(crate) async fn put(&self, name: &str, text: &str) {
        std::fs::write(self.daemon.dir().join("workflows").join(format!("{name}.yaml")), text)
            .expect("a file");
        harness::until("the workflow is known", async || {
            let listed = self.client.ok("mcp.agent.listWorkflows", json!([])).await;
            listed.as_array().expect("a list").iter().any(|one| one["workflow_id"] == name)
        })
        .await;
    }

    /// SIGKILL for the daemon, and a new one on the same folder.
    pub(crate) async fn crash_and_restart(self) -> Self {
        self.crash_and_restart_after(|| {}).await
    }

    /// The same; `meanwhile` happens while nothing runs.
    pub(crate) async fn crash_and_restart_after(self, meanwhile: impl FnOnce()) -> Self {
        let Self { client, daemon } = self;
        drop(client);
        let daemon = daemon.crash_and_restart_after(meanwhile).await;
        Self { client: daemon.client().await, daemon }
    }

    /// Begins a run; its id.
    pub(crate) async fn begin(&self, workflow: &str, inputs: Value) -> String {
        let asked = json!({ "workflow_id": workflow, "inputs": inputs });
        let begun = self.client.ok("mcp.agent.runWorkflow", asked).await;
        assert_eq!(begun["status"], "started", "{begun}");
        begun["execution_id"].as_str().expect("an id").to_owned()
    }

    /// All about a run.
    pub(crate) async fn run(&self, id: &str) -> Value {
        self.client.ok("mcp.agent.getRun", json!({ "execution_id": id, "events": 1000 })).await
    }

    /// Waits until a run is so.
    pub(crate) async fn becomes(&self, id: &str, status: &str) -> Value {
        let until = Instant::now() + harness::PATIENCE;
        loop {
            let run = self.run(id).await;
            if run["status"] == status {
                return run;
            }
            let over =
                ["completed", "failed", "stopped"].contains(&run["status"].as_str().expect("a status"));
            assert!(!over && Instant::now() < until, "is not {status}: {run:#}\n{}", self.daemon.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs a workflow to its end, which must be so; all about the run.
    pub(crate) async fn ends(&self, workflow: &str, inputs: Value, status: &str) -> Value {
        let id = self.begin(workflow, inputs).await;
        self.becomes(&id, status).await
    }

    /// Runs a workflow that must do what it is to do; its output.
    pub(crate) async fn completes(&self, workflow: &str, inputs: Value) -> Value {
        self.ends(workflow, inputs, "completed").await["output"].clone()
    }

    /// A file in the root, as text.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.daemon.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// The texts of a run's events of a kind.
pub(crate) fn texts<'a>(run: &'a Value, event: &str) -> Vec<&'a str> {
    let events = run["events"].as_array().expect("events");
    events
        .iter()
        .filter(|one| one["event"] == event)
        .map(|one| one["text"].as_str().expect("a text"))
        .collect()
}
