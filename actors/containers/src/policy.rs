//! What containers may: nothing, unless it is written here.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::image::Images;

/// What may run, and within which limits.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which images.
    pub images: Images,
    /// The engine's networks, by name, that a run may ask for. From a bridge a container reaches whatever the engine's
    /// machine reaches, private addresses too: list one that is fenced. `host` and another container's are never given.
    pub networks: Vec<String>,
    /// Whether a run may ask for user or group 0. It has no capability either, but what root owns it can write: the folder
    /// of its inputs, for one.
    pub root: bool,
    /// Whether an image that the engine does not have is pulled.
    pub pull: bool,
    /// How much.
    pub limits: Limits,
}

/// What a run gets that says nothing, and the most that one may ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound<T> {
    /// Without a word.
    pub default: T,
    /// At most.
    pub max: T,
}

/// How much a container may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Memory, with that of `/tmp`; there is no swap beside it.
    pub memory_bytes: Bound<u64>,
    /// Processors, in parts.
    pub cpus: Bound<f64>,
    /// Processes and threads at one time.
    pub pids: Bound<u32>,
    /// From its start to its end.
    pub timeout: Bound<Duration>,
    /// Of `/tmp`, which is memory.
    pub tmp_bytes: u64,
    /// Of what it prints; the rest is not read.
    pub log_bytes_max: usize,
    /// Of waiting for a pull.
    pub pull_timeout: Duration,
}

/// What is wrong with a list, all of it: the entry, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntries(pub Vec<(String, String)>);

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            // A converter or a script; what needs more says so.
            memory_bytes: Bound { default: 256 * MIB, max: 2048 * MIB },
            cpus: Bound { default: 1.0, max: 2.0 },
            pids: Bound { default: 64, max: 512 },
            timeout: Bound { default: Duration::from_mins(5), max: Duration::from_hours(1) },
            tmp_bytes: 16 * MIB,
            // What a person or a model reads; results are printed, and larger ones are files of a sync job.
            log_bytes_max: 1024 * 1024,
            pull_timeout: Duration::from_mins(10),
        }
    }
}

impl Display for BadEntries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (entry, why)) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            write!(f, "{between}'{entry}': {why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadEntries {}
