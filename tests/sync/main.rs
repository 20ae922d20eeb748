//! Sync as callers see it: the real daemon, the real rclone in two versions, and real servers of `WebDAV`, SFTP and HTTP.
//! What arrives is compared by hash, on the server's own disk.

mod confined;
mod copies;
mod endings;
mod many;
mod plans;
mod shell;
mod stuck;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{Client, Daemon, Rclone, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The versions that everything is tried with.
pub(crate) const BOTH: [Rclone; 2] = [Rclone::Debian, Rclone::Current];

/// How long a small job may take where a dozen of them, and files of gigabytes, share one disk and two cores.
const PATIENCE: Duration = Duration::from_mins(3);

/// A daemon that has remotes, and somebody who asks.
pub(crate) struct Scene {
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
    home: TempDir,
}

impl Scene {
    /// A daemon with this rclone and these remotes.
    pub(crate) async fn new(rclone: Rclone, remotes: &str) -> Self {
        Self::with(rclone, remotes, "sync: {outright: [ELITE]}\n").await
    }

    /// The same, with settings.
    pub(crate) async fn with(rclone: Rclone, remotes: &str, settings: &str) -> Self {
        Self::of(rclone.program(), remotes, settings).await
    }

    /// The same, with a program that need not be rclone.
    pub(crate) async fn of(program: &Path, remotes: &str, settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let config = home.path().join("rclone.conf");
        std::fs::write(&config, remotes).expect("a file");
        let environment = vec![
            ("LLMBDO_RCLONE_EXECUTABLE", program.display().to_string()),
            ("LLMBDO_RCLONE_CONFIG_PATH", config.display().to_string()),
        ];
        let daemon = Setup { settings: settings.to_owned(), environment, ..Setup::default() }.start().await;
        Self { client: daemon.client().await, daemon, home }
    }

    /// SIGKILL for the daemon, and a new one on the same folder.
    pub(crate) async fn crash_and_restart(self) -> Self {
        let Self { client, daemon, home } = self;
        drop(client);
        let daemon = daemon.crash_and_restart().await;
        Self { client: daemon.client().await, daemon, home }
    }

    /// A new daemon on the same folder, once this one has ended.
    pub(crate) async fn again(self) -> Self {
        let Self { client, daemon, home } = self;
        drop(client);
        let daemon = daemon.again().await;
        Self { client: daemon.client().await, daemon, home }
    }

    /// Other remotes.
    pub(crate) fn configure(&self, remotes: &str) {
        std::fs::write(self.home.path().join("rclone.conf"), remotes).expect("a file");
    }

    /// Begins a job; its id.
    pub(crate) async fn begin(&self, job: Value) -> String {
        let begun = self.client.ok("mcp.sync.runJob", json!({ "job": job })).await;
        begun["job_id"].as_str().expect("an id").to_owned()
    }

    /// Runs a job to its end; its last status.
    pub(crate) async fn run(&self, job: Value) -> Value {
        let id = self.begin(job).await;
        self.end(&id).await
    }

    /// Waits for the end of a job; its last status.
    pub(crate) async fn end(&self, id: &str) -> Value {
        self.finish(id, PATIENCE).await
    }

    /// The same for a job that takes longer than others.
    pub(crate) async fn finish(&self, id: &str, limit: Duration) -> Value {
        let asked = json!({ "job_id": id, "wait": true, "lines": 100 });
        // The client itself is patient for longer, so that what it is about can be told.
        let (_, answer) = self.client.begin_within(limit * 2, "mcp.sync.getJobStatus", asked).await;
        let Ok(ended) = tokio::time::timeout(limit, answer).await else {
            panic!("it does not end: {:#}\n{}", self.status(id).await, self.daemon.log())
        };
        ended.expect("it is there")
    }

    /// How a job is now.
    pub(crate) async fn status(&self, id: &str) -> Value {
        self.client.ok("mcp.sync.getJobStatus", json!({ "job_id": id })).await
    }

    /// Runs a job that must do what it was to do.
    pub(crate) async fn completes(&self, job: Value) -> Value {
        let ended = self.run(job).await;
        assert_eq!(ended["status"], "completed", "{ended:#}\n{}", self.daemon.log());
        ended
    }

    /// Waits until a job has transferred something and has not all.
    pub(crate) async fn is_half_way(&self, id: &str) -> Value {
        let until = std::time::Instant::now() + harness::PATIENCE;
        loop {
            let now = self.status(id).await;
            assert!(now["is_running"] == true && std::time::Instant::now() < until, "{now:#}");
            if now["progress"]["bytes"].as_u64() > Some(0) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What is in a folder: every file's path and hash.
pub(crate) fn hashes(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut hash = blake3::Hasher::new();
                let mut file = std::fs::File::open(&path).expect("a file");
                std::io::copy(&mut file, &mut hash).expect("it is read");
                let inside = path.strip_prefix(folder).expect("it is inside").to_owned();
                found.insert(inside, hash.finalize().to_hex().to_string());
            }
        }
    }
    found
}

/// Writes a file, and the folders above it.
pub(crate) fn write(path: PathBuf, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
    std::fs::write(path, content).expect("a file");
}

/// A file of this many bytes that no two of are the same.
pub(crate) fn large(path: PathBuf, bytes: usize) {
    let mut dice = fastrand::Rng::with_seed(bytes as u64);
    let content: Vec<u8> = std::iter::repeat_with(|| dice.u8(..)).take(bytes).collect();
    write(path, content);
}

/// What `data.kind` of a refusal says.
pub(crate) fn kind(refused: &Value) -> &str {
    refused["data"]["kind"].as_str().unwrap_or_default()
}
