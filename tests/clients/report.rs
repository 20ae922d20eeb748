//! What a client's script says of each of its steps, and what it must say.

use harness::{Daemon, PATIENCE, Setup};
use serde_json::{Value, json};
use tokio::process::Command;

/// What the file is to say that the clients write, read and fetch.
pub(crate) const CONTENT: &str = "Written by a client: äöü.\n";

/// The lines of a script, by step.
pub(crate) struct Report(Vec<Value>);

/// A daemon with the suite's fixtures, and a token that may do everything but delete.
pub(crate) async fn daemon() -> (Daemon, String) {
    let setup = Setup { arguments: vec!["--conformance".into()], ..Setup::default() };
    let daemon = setup.start().await;
    let tools = [
        "mcp.hello",
        "mcp.prompts.*",
        "mcp.fs.read",
        "mcp.fs.write",
        "mcp.fs.list",
        "mcp.fs.stat",
        "mcp.fs.find",
    ];
    let tools = tools.iter().chain(&["mcp.test.*", "mcp.slow.compute"]).flat_map(|tool| ["--allow", tool]);
    let token = daemon.token_for("client", &tools.collect::<Vec<_>>()).await;
    (daemon, token)
}

/// The steps that a script is to take, without the way in.
pub(crate) fn task(mode: &str) -> Value {
    json!({
        "mode": mode,
        "write": { "name": "fs_write", "arguments": { "path": "/client.txt", "content": CONTENT } },
        "read": { "name": "fs_read", "arguments": { "path": "/client.txt" } },
        "resource": "file:///client.txt",
        "prompts": "/",
        "denied": { "name": "fs_delete", "arguments": { "path": "/client.txt" } },
        "slow": { "name": "slow_compute", "arguments": { "seconds": 30 } },
        "progress": { "name": "test_tool_with_progress", "arguments": {} },
    })
}

impl Report {
    /// Runs a script on a task.
    pub(crate) async fn of(mut command: Command, task: &Value) -> Self {
        let ended = tokio::time::timeout(PATIENCE, command.arg(task.to_string()).output()).await;
        let output = ended.expect("it ends in time").expect("it runs");
        let (said, complained) =
            (harness::daemon::text(&output.stdout), harness::daemon::text(&output.stderr));
        assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
        let lines = said.lines().map(|line| serde_json::from_str(line).expect("a line is a step"));
        Self(lines.collect())
    }

    fn step(&self, name: &str) -> &Value {
        let step = self.0.iter().find(|step| step["step"] == name);
        step.unwrap_or_else(|| panic!("no step '{name}': {:#?}", self.0))
    }

    /// Holds every step against what must have come of it.
    pub(crate) fn check(&self, daemon: &Daemon) {
        let names = self.step("tools")["names"].as_array().expect("names").clone();
        assert!(names.contains(&json!("fs_read")) && names.contains(&json!("fs_write")), "{names:?}");
        for step in ["write", "read", "progress"] {
            assert_eq!(self.step(step)["failed"], false, "{}", self.step(step));
        }
        let on_disk = std::fs::read_to_string(daemon.file("client.txt")).expect("fs_write made it");
        assert_eq!(on_disk, CONTENT);
        let read = self.step("read")["text"].as_str().expect("a text");
        assert!(read.contains("Written by a client: äöü."), "{read}");
        assert_eq!(self.step("resource")["text"], CONTENT);
        assert!(self.step("prompt")["messages"].as_u64() > Some(0), "{}", self.step("prompt"));
        assert_eq!(self.step("denied")["failed"], true, "{}", self.step("denied"));
        let cancelled = self.step("cancelled");
        assert!(cancelled["failed"] == true && cancelled["seconds"].as_f64() < Some(20.0), "{cancelled}");
        let seen = self.step("progress")["seen"].as_array().expect("numbers");
        let numbers: Vec<_> = seen.iter().filter_map(Value::as_f64).collect();
        // SDKs may drop what comes with the result; what they show only grows.
        assert!(!numbers.is_empty() && numbers.is_sorted(), "{seen:?}");
        assert_eq!(self.step("usable")["tools"].as_u64(), u64::try_from(names.len()).ok());
        self.step("closed");
    }
}
