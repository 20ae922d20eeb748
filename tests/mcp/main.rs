//! The Model Context Protocol on the raw wire: what a client of either era may rely on, whatever it sends and over
//! whichever transport, one file per idea.

mod cancel;
mod dialects;
mod headers;
mod http;
mod large;
mod legacy;
mod listen;
mod peer;
mod rights;
mod sessions;
mod state;
mod stdio;
mod streams;
mod tasks;
mod tools;
mod turned_away;
mod workflows;

use harness::{Daemon, Setup};

/// A daemon with the fixtures of the conformance suite, whose tools ask, wait and report as none of ours does.
async fn fixtures(settings: &str) -> Daemon {
    let arguments = vec!["--conformance".to_owned()];
    Setup { settings: settings.to_owned(), arguments, ..Setup::default() }.start().await
}

/// Megabytes that the daemon has in memory now.
fn resident(daemon: &Daemon) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line about memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") / 1024
}
