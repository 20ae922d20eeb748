//! The engine that the tests run on: `tests/docker/engine` starts it in a folder and stops it with us.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use containers::{Engine, Policy};
use tempfile::TempDir;

/// A running engine; it is stopped when this is dropped, or the process ends.
pub(crate) struct Docker {
    /// The script removes it.
    folder: PathBuf,
    /// What the script waits at; it stops the engine when this is closed, whoever closes it.
    stdin: Option<ChildStdin>,
    child: Child,
}

impl Docker {
    /// One for all tests that do not break it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Docker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One that may be broken.
    pub(crate) fn start() -> Self {
        let folder = TempDir::with_prefix("llmbasedos-docker-").expect("a folder").keep();
        let mut child = Command::new(script())
            .arg("serve")
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script is there");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut said = String::new();
        let read = BufReader::new(stdout.expect("it is piped")).read_line(&mut said);
        read.expect("the script says something");
        assert_eq!(said.trim(), "ready", "no engine: see what the script says above");
        Self { folder, stdin, child }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    pub(crate) fn engine(&self, instance: &str, policy: Policy) -> Engine {
        Engine::new(self.socket(), instance, policy)
    }

    /// `kill -9` of the daemon.
    pub(crate) fn kill(&self) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).expect("it runs");
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().expect("kill").success());
    }

    /// Starts it again.
    pub(crate) fn start_again(&self) {
        let started = Command::new(script()).arg("start").arg(&self.folder).stdin(Stdio::null()).status();
        assert!(started.expect("the script is there").success(), "it does not start again");
    }

    /// What the engine's own client says.
    pub(crate) fn client(&self, arguments: &[&str]) -> String {
        let client = Path::new("/usr/bin/docker");
        let client = if client.exists() { client } else { Path::new("docker") };
        let host = format!("unix://{}", self.socket().display());
        let output =
            Command::new(client).args(["-H", &host]).args(arguments).output().expect("the client is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}

fn script() -> PathBuf {
    // Another crate's tests have this file too.
    let above =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/docker/engine"));
    above.into_iter().find(|script| script.exists()).expect("the script is there")
}
