//! The settings of copying between the roots and the remotes of rclone.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Copying between the roots and the remotes of rclone: `mcp.sync.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sync {
    /// rclone's program: a name that is looked for in PATH, or a path. Debian's 1.60 does most of it; a current one
    /// leaves no truncated file behind when it is killed.
    #[schemars(length(min = 1, max = 4096))]
    pub rclone_executable: String,
    /// rclone's own configuration, with the remotes; `rclone config` writes it. Missing means no remotes.
    #[schemars(extend("format" = "path"))]
    pub rclone_config: PathBuf,
    /// Jobs that run at the same time; others wait for their turn. Four keep a home's line busy.
    #[schemars(range(min = 1, max = 32))]
    pub parallel: usize,
    /// After how many seconds without a job rclone is ended, which gives back some 60 MB. Five minutes are longer than
    /// the pause between two questions about a remote.
    #[schemars(range(min = 1, max = 86_400))]
    pub idle_seconds: u64,
    /// How many seconds a job may take to stop before rclone is killed. Twenty let it end the file's connection and
    /// remove what is half there.
    #[schemars(range(min = 1, max = 600))]
    pub stop_seconds: u64,
    /// For how many days jobs that have ended are remembered, with what they said. A quarter is how far back people
    /// ask.
    #[schemars(range(min = 1, max = 3650))]
    pub history_days: u32,
    /// How many ended jobs are remembered at most. Ten thousand take some 20 MB with what they said.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub history_jobs: u32,
    /// Remotes, by name, that may be used although they reach this machine's own disk or run a program, as `local`,
    /// `alias` or a `combine` of them do. None by default. What they reach must stand in `readable` or `writable` too.
    pub allow_remotes: Vec<String>,
    /// Who may `sync`, `move` and `bisync` without a plan: names of tiers, or of callers. Nobody by default, because
    /// these delete.
    pub outright: Vec<String>,
    /// Files and folders besides the roots that rclone may read, or run: keys and certificates that its configuration
    /// names. None by default.
    pub readable: Vec<PathBuf>,
    /// Folders besides the roots that rclone may write. None by default.
    pub writable: Vec<PathBuf>,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            rclone_executable: "rclone".to_owned(),
            rclone_config: "rclone.conf".into(),
            parallel: 4,
            idle_seconds: 300,
            stop_seconds: 20,
            history_days: 90,
            history_jobs: 10_000,
            allow_remotes: Vec::new(),
            outright: Vec::new(),
            readable: Vec::new(),
            writable: Vec::new(),
        }
    }
}
