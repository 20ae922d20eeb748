//! This process as the kernel counts it.

use schemars::JsonSchema;
use serde::Serialize;

/// Counters of gateway and edges since the start.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Connections at this moment.
    pub connections: usize,
    /// Calls admitted and not answered at this moment.
    pub in_flight: usize,
    /// Calls answered.
    pub answered: u64,
    /// Of these, with an error.
    pub failed: u64,
}

/// Memory in use, in bytes (`VmRSS`); 0 where /proc does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0)
        * 1024
}

/// CPU time used, in milliseconds; 0 where /proc does not tell.
pub(crate) fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command may contain anything, so count from behind its closing parenthesis: utime and stime are the
    // 14th and 15th fields, in ticks of 10 ms (USER_HZ is 100 on every Linux).
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or(vec![], |(_, rest)| rest.split_whitespace().collect());
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10
}

/// Threads of this process; 0 where /proc does not tell.
pub(crate) fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
