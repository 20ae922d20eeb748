//! How far a job is: what rclone counts, kept so that it never goes backwards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files that are told of those under way.
const CURRENT_MAX: usize = 8;

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Progress {
    /// Bytes that were transferred.
    pub(crate) bytes: u64,
    /// Bytes to transfer, as far as is known yet.
    pub(crate) total_bytes: u64,
    /// Files that were transferred.
    pub(crate) files: u64,
    /// Files to transfer, as far as is known yet.
    pub(crate) total_files: u64,
    /// Files that were compared.
    pub(crate) checks: u64,
    /// Files that were deleted.
    pub(crate) deletes: u64,
    /// Errors so far.
    pub(crate) errors: u64,
    /// Bytes in a second.
    pub(crate) speed: f64,
    /// Seconds that it will take; null when that cannot be told.
    pub(crate) eta_seconds: Option<u64>,
    /// Some of the files under way.
    pub(crate) current: Vec<Current>,
}

/// A file under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Current {
    /// Its path below the source.
    pub(crate) name: String,
    /// Bytes that were transferred.
    pub(crate) bytes: u64,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// What rclone says of a group of transfers, or on a line of its log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Stats {
    pub(crate) bytes: i64,
    pub(crate) total_bytes: i64,
    pub(crate) transfers: i64,
    pub(crate) total_transfers: i64,
    pub(crate) checks: i64,
    pub(crate) deletes: i64,
    pub(crate) errors: i64,
    pub(crate) listed: i64,
    pub(crate) speed: f64,
    pub(crate) eta: Option<f64>,
    pub(crate) fatal_error: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) transferring: Option<Vec<Transferring>>,
}

/// A file under way, as rclone has it; its length is -1 when it is not known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transferring {
    pub(crate) name: String,
    pub(crate) bytes: i64,
    pub(crate) size: i64,
}

/// A number of rclone's, which is below zero when it is not known.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl Progress {
    /// What is new since `base`, which is where the attempts before this one got to. Counters only grow: rclone's own
    /// fall back when a file is begun anew.
    pub(crate) fn advance(&mut self, base: &Self, stats: &Stats) {
        self.bytes = self.bytes.max(base.bytes + count(stats.bytes));
        self.total_bytes = self.total_bytes.max(base.bytes + count(stats.total_bytes)).max(self.bytes);
        self.files = self.files.max(base.files + count(stats.transfers));
        self.total_files = self.total_files.max(base.files + count(stats.total_transfers)).max(self.files);
        self.checks = self.checks.max(base.checks + count(stats.checks));
        self.deletes = self.deletes.max(base.deletes + count(stats.deletes));
        self.errors = self.errors.max(base.errors + count(stats.errors));
        self.speed = if stats.speed.is_finite() { stats.speed.max(0.0) } else { 0.0 };
        let eta = stats.eta.filter(|eta| eta.is_finite() && *eta >= 0.0);
        self.eta_seconds = eta.map(|eta| std::time::Duration::from_secs_f64(eta.min(1e9)).as_secs());
        let current = stats.transferring.iter().flatten().take(CURRENT_MAX);
        self.current = current
            .map(|file| Current { name: file.name.clone(), bytes: count(file.bytes), size: count(file.size) })
            .collect();
    }

    /// The same with nothing under way.
    pub(crate) fn at_rest(mut self) -> Self {
        self.current.clear();
        (self.speed, self.eta_seconds) = (0.0, None);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_ever_goes_backwards(all in proptest::collection::vec(proptest::collection::vec(-5_i64..50, 7), 1..20)) {
            let base = Progress { bytes: 10, files: 2, ..Progress::default() };
            let mut progress = base.clone();
            for numbers in all {
                let before = progress.clone();
                progress.advance(&base, &Stats {
                    bytes: numbers[0], total_bytes: numbers[1], transfers: numbers[2], total_transfers: numbers[3],
                    checks: numbers[4], deletes: numbers[5], errors: numbers[6], ..Stats::default()
                });
                prop_assert!(progress.bytes >= before.bytes && progress.total_bytes >= before.total_bytes);
                prop_assert!(progress.files >= before.files && progress.total_files >= before.total_files);
                prop_assert!(progress.checks >= before.checks && progress.errors >= before.errors);
                prop_assert!(progress.bytes <= progress.total_bytes && progress.files <= progress.total_files);
            }
        }
    }
}
