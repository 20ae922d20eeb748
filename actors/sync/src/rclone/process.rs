//! A process of rclone's: confined, in a group of its own, and ended with whoever started it.
//!
//! A thread starts it and stays until it has ended: the kernel's "tell me when my parent dies" means the thread.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::{mpsc, watch};

use super::confine::Confined;

/// The longest line that is read; what is behind it is lost.
const LINE_MAX: u64 = 64 * 1024;

/// Lines that wait to be read before the process has to.
const LINES: usize = 256;

/// What is started.
pub(crate) struct Program {
    /// Our own program and what makes it the launcher.
    pub(crate) launcher: (PathBuf, String),
    pub(crate) confined: Confined,
    pub(crate) variables: BTreeMap<String, String>,
}

/// A running process; its drop kills it and all that it has started.
pub(crate) struct Process {
    pid: u32,
    group: Arc<Mutex<Option<Pid>>>,
    ended: watch::Receiver<Option<Ended>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended(ExitStatus);

impl Ended {
    /// Its exit code; none when a signal ended it.
    pub(crate) fn code(self) -> Option<i32> {
        self.0.code()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Process {
    /// Starts it. Its lines, of both streams, come out of the channel, which ends with it. Blocks for a moment.
    pub(crate) fn start(program: Program) -> io::Result<(Self, mpsc::Receiver<String>)> {
        let (reading, writing) = io::pipe()?;
        let (line, lines) = mpsc::channel(LINES);
        let (tell, ended) = watch::channel(None);
        let (answer, started) = std::sync::mpsc::sync_channel(1);
        let group = Arc::new(Mutex::new(None));
        let held = Arc::clone(&group);
        thread::Builder::new().name("rclone".into()).spawn(move || {
            let started = spawn(&program, writing);
            let mut child = match started {
                Ok(child) => child,
                Err(error) => return drop(answer.send(Err(error))),
            };
            let Some(pid) = Pid::from_raw(child.id().cast_signed()) else {
                unreachable!("a child has a number")
            };
            *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
            let _ = answer.send(Ok(child.id()));
            // Not reaped yet, so that its number stays its own until nobody signals it any more.
            while matches!(
                waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT),
                Err(rustix::io::Errno::INTR)
            ) {}
            let last = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(group) = last {
                let _ = kill_process_group(group, Signal::KILL);
            }
            tell.send_replace(child.wait().ok().map(Ended));
        })?;
        let pid = started.recv().map_err(|_| io::Error::other("no thread to start it"))??;
        thread::Builder::new().name("rclone-lines".into()).spawn(move || {
            let mut from = BufReader::new(reading);
            while let Ok(Some(text)) = next_line(&mut from) {
                if line.blocking_send(text).is_err() {
                    // Nobody reads any more; the process must not wait for that.
                    let _ = io::copy(&mut from, &mut io::sink());
                    break;
                }
            }
        })?;
        Ok((Self { pid, group, ended }, lines))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for its end; none when that could not be learnt.
    pub(crate) async fn ended(&self) -> Option<Ended> {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.ok().and_then(|ended| *ended)
    }

    /// Resolves at its end, without keeping it alive.
    pub(crate) fn watch(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.clone();
        async move { drop(ended.wait_for(Option::is_some).await) }
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.ended.borrow().is_some() || self.ended.has_changed().is_err()
    }

    /// Asks it to end, and kills it when it has not within `grace`.
    pub(crate) async fn end(&self, grace: Duration) -> Option<Ended> {
        self.signal(Signal::TERM);
        if let Ok(ended) = tokio::time::timeout(grace, self.ended()).await {
            return ended;
        }
        self.kill();
        self.ended().await
    }

    /// Kills it and all that it has started.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = *self.group.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &Program, output: io::PipeWriter) -> io::Result<subprocess::Started> {
    use std::os::unix::process::CommandExt as _;
    let (path, word) = &program.launcher;
    let spec = serde_json::to_string(&program.confined).map_err(io::Error::other)?;
    let mut command = Command::new(path);
    command
        .args([word, &spec])
        .env_clear()
        .envs(&program.variables)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    subprocess::start(&mut command)
}

/// A line, cut where it is too long; none at the end.
fn next_line(from: &mut impl io::BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == LINE_MAX {
        from.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
}
