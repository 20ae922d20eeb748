//! A server process under measurement: started, waited for, looked at from outside, ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// Longer than any start takes.
const START: Duration = Duration::from_mins(1);

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

    /// Starts a server that says nothing we know: `with_port` tells it the port, and it is ready once that is open.
    /// It may have processes behind it, which end with it.
    pub(crate) fn listening(
        command: &mut Command,
        with_port: impl FnOnce(&mut Command, &str),
    ) -> anyhow::Result<Self> {
        let name = Path::new(command.get_program()).display().to_string();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        with_port(command, &port);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        let address = format!("127.0.0.1:{port}");
        let mut server = Self { child, address, started, ready: Duration::ZERO };
        while TcpStream::connect(&server.address).is_err() {
            if let Some(ended) = server.child.try_wait()? {
                bail!("{name} ended: {ended}");
            }
            if started.elapsed() > START {
                bail!("{name} does not get ready");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        server.ready = started.elapsed();
        Ok(server)
    }

    /// [`Server::cpu_ns`] of this process and of all behind it.
    pub(crate) fn tree_cpu_ns(&self) -> anyhow::Result<u64> {
        tree(self.child.id()).into_iter().map(cpu_ns).sum()
    }

    /// [`Server::rss_kib`] of this process and of all behind it.
    pub(crate) fn tree_rss_kib(&self) -> anyhow::Result<u64> {
        tree(self.child.id()).into_iter().map(rss_kib).sum()
    }

    /// The processor time that all its threads have used, in nanoseconds. The scheduler's own count: ticks of 10
    /// ms would be a third of what a short run at one connection uses.
    pub(crate) fn cpu_ns(&self) -> anyhow::Result<u64> {
        cpu_ns(self.child.id())
    }

    /// Its resident memory, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        rss_kib(self.child.id())
    }
}

fn cpu_ns(pid: u32) -> anyhow::Result<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))?;
    // A thread that ends between the two looks takes its count along; workers do not end under load.
    let used = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Ok(used.sum())
}

fn rss_kib(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A process and all that it and its own have started.
fn tree(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|text| text.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect();
        found.extend(children);
        at += 1;
    }
    found
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its group, where it leads one: what a proxy has started would outlive it.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HOST:PORT in the line that says that a server is ready.
fn address_in(line: &str) -> Option<&str> {
    line.split_once(" is ready: ")?.1.split_once("ws://")?.1.split_once("/ws")?.0.into()
}
