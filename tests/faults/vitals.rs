//! What the kernel says about the daemon's process.

use std::collections::BTreeMap;

use harness::Daemon;

pub(crate) const MIB: u64 = 1024 * 1024;

/// Its threads, open files and memory at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Vitals {
    /// How many there are of each name.
    pub(crate) threads: BTreeMap<String, usize>,
    /// How many are open of each name or kind, besides those of the state file, of which some are kept for as many readers as there ever were at once.
    pub(crate) files: BTreeMap<String, usize>,
    /// In bytes.
    pub(crate) resident: u64,
    /// The most that it ever was, in bytes.
    pub(crate) resident_peak: u64,
}

impl Vitals {
    pub(crate) fn of(daemon: &Daemon) -> Self {
        let process = format!("/proc/{}", daemon.pid());
        let status = std::fs::read_to_string(format!("{process}/status")).expect("it lives");
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
            line.trim().trim_end_matches(" kB").parse().expect("a number")
        };
        let mut threads = BTreeMap::new();
        for thread in std::fs::read_dir(format!("{process}/task")).expect("it lives").flatten() {
            // One that has just ended has no name any more.
            if let Ok(name) = std::fs::read_to_string(thread.path().join("comm")) {
                *threads.entry(name.trim().to_owned()).or_default() += 1;
            }
        }
        let mut files = BTreeMap::new();
        for file in std::fs::read_dir(format!("{process}/fd")).expect("it lives").flatten() {
            let Ok(file) = std::fs::read_link(file.path()) else { continue };
            let file = file.to_string_lossy();
            // `socket:[1234]`
            let kind = file.split_once(":[").map_or(&*file, |(kind, _)| kind);
            *files.entry(kind.to_owned()).or_default() += 1;
        }
        files.retain(|file, _| !file.contains("llmbasedos.db"));
        Self { threads, files, resident: kib("VmRSS:") * 1024, resident_peak: kib("VmHWM:") * 1024 }
    }
}

impl Vitals {
    /// Threads by name, except those that tokio starts for a burst of blocking calls and ends when idle.
    pub(crate) fn threads_but_workers(&self) -> BTreeMap<String, usize> {
        let mut threads = self.threads.clone();
        threads.retain(|name, _| !name.starts_with("tokio-rt"));
        threads
    }

    /// All threads.
    pub(crate) fn threads_total(&self) -> usize {
        self.threads.values().sum()
    }
}

/// For people.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
}
