//! The settings of the file service.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file service: which folders callers see and what they may do there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Fs {
    /// The folders that callers see, each under a name of its own. By default one, `user_files` beside the
    /// settings, shown as `/`. The original fell back to the whole home directory: too much to give away by
    /// not saying anything. `--root`, or an environment variable of the original, replaces them all by one
    /// folder at `/`, which keeps the mode and the tiers that the file gives to `/`.
    #[schemars(length(min = 1, max = 64))]
    pub roots: Vec<Root>,
    /// The largest content that one write takes, in bytes. 16 MiB, like `limits.frame_bytes`, which a larger
    /// one could not pass; larger files are appended to.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub write_bytes_max: u64,
    /// How much one read returns at most, in bytes, before it answers with a cursor. 1 MiB is already more text
    /// than a model takes in.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub read_bytes_max: u64,
    /// How many entries one listing returns at most before it answers with a cursor. A thousand names fill a
    /// model's attention several times over.
    #[schemars(range(min = 1, max = 100_000))]
    pub entries_max: usize,
    /// How many days deleted files stay in the trash before they are removed for good. A month is how long
    /// people take to notice.
    #[schemars(range(min = 0, max = 3650))]
    pub trash_keep_days: u32,
    /// How many files one find or grep looks at before it stops and says so. 200,000 is a large home directory
    /// and a few seconds of disk.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub scan_files_max: u64,
}

/// A folder that callers see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Where callers see it: `/`, or `/` and one name.
    pub at: String,
    /// The folder on this machine. A relative path starts at the directory of the settings, `~/` at the home
    /// directory.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// `read_write`, or `read_only`, which refuses whatever would change it. Writable by default, because a
    /// root is named in order to be worked in.
    #[serde(default)]
    pub mode: Mode,
    /// Which licence tiers see it; empty is all of them, which is the default because tiers already say which
    /// methods may be called.
    #[serde(default)]
    pub tiers: Vec<String>,
}

/// What callers may do in a root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Look.
    ReadOnly,
}

impl Default for Fs {
    fn default() -> Self {
        Self {
            roots: vec![Root {
                at: "/".to_owned(),
                path: "user_files".into(),
                mode: Mode::ReadWrite,
                tiers: Vec::new(),
            }],
            write_bytes_max: 16 * 1024 * 1024,
            read_bytes_max: 1024 * 1024,
            entries_max: 1000,
            trash_keep_days: 30,
            scan_files_max: 200_000,
        }
    }
}
