//! A server process under measurement: started, waited for, looked at from outside, ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

/// Longer than any start takes.
const START: Duration = Duration::from_secs(20);

/// A process that has said that it is ready. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// HOST:PORT of its WebSocket.
    pub(crate) address: String,
    /// When it was started.
    pub(crate) started: Instant,
    /// How long it took to say that it is ready.
    pub(crate) ready: Duration,
}

impl Server {
    /// Starts a server and waits for the line on its standard error that names its address.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = Path::new(command.get_program()).display().to_string();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("start {name}"))?;
        let stderr = BufReader::new(child.stderr.take().context("its standard error is ours")?);
        let (tell, told) = mpsc::sync_channel(1);
        // Reads to the end: a server whose log nobody reads stops in the middle of a line.
        std::thread::spawn(move || {
            let mut said = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                match address_in(&line) {
                    Some(address) => drop(tell.try_send(Ok((address.to_owned(), started.elapsed())))),
                    None => said = line,
                }
            }
            drop(tell.try_send(Err(said)));
        });
        let mut server = Self { child, address: String::new(), started, ready: Duration::ZERO };
        let outcome = told.recv_timeout(START).with_context(|| format!("{name} does not get ready"))?;
        (server.address, server.ready) = outcome.map_err(|said| anyhow!("{name} ended: {said}"))?;
        Ok(server)
    }

    /// The processor time that all its threads have used, in nanoseconds. The scheduler's own count: ticks of 10
    /// ms would be a third of what a short run at one connection uses.
    pub(crate) fn cpu_ns(&self) -> anyhow::Result<u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        // A thread that ends between the two looks takes its count along; workers do not end under load.
        let used = tasks.flatten().filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Ok(used.sum())
    }

    /// Its resident memory, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HOST:PORT in the line that says that a server is ready.
fn address_in(line: &str) -> Option<&str> {
    line.split_once(" is ready: ")?.1.split_once("ws://")?.1.split_once("/ws")?.0.into()
}
