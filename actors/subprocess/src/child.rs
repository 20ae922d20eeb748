//! The process from outside: started, asked, and killed when it is dropped or does not answer.

use std::ffi::OsStr;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::frame;
use crate::patient::Patient;
use crate::started::{self, Started};

/// How long a process may live on that has closed its pipe: long enough to be reaped on a busy machine.
const END_WITHIN: Duration = Duration::from_secs(1);

/// One that takes nothing for so long hangs, or was stopped: whoever sends would wait for ever.
const TAKES_WITHIN: Duration = Duration::from_mins(1);

/// How often somebody who may give up is asked whether they do.
const TICK: Duration = Duration::from_millis(100);

/// A running process.
pub struct Child {
    child: Started,
    to: Patient,
    frames: Receiver<io::Result<Vec<u8>>>,
}

/// It is over: how, in words ("signal: 9 (SIGKILL)", "no answer for 60 s").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended(pub String);

impl Child {
    /// Starts a program, which sees no variables but those that are given.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        path: &Path,
        arguments: &[A],
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut command = Command::new(path);
        command
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = started::start(&mut command)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for");
        };
        // A pipe cannot be read with a deadline; a channel can.
        let (frame, frames) = sync_channel(1);
        let mut from = BufReader::new(from);
        let read = move || {
            while let Some(bytes) = frame::read(&mut from).transpose() {
                let last = bytes.is_err();
                if frame.send(bytes).is_err() || last {
                    break;
                }
            }
        };
        let started = Self { child, to: Patient::new(to)?, frames };
        thread::Builder::new().name("subprocess".into()).spawn(read)?;
        Ok(started)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends one frame of JSON.
    ///
    /// # Errors
    /// When it is over, or takes nothing in time; then it is killed.
    pub fn send(&mut self, ask: &impl Serialize) -> Result<(), Ended> {
        let bytes = serde_json::to_vec(ask).map_err(|error| self.ended(&error.to_string()))?;
        self.send_bytes(&bytes)
    }

    /// Sends one frame of bytes.
    ///
    /// # Errors
    /// As [`Child::send`].
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.send_within(bytes, TAKES_WITHIN)
    }

    pub(crate) fn send_within(&mut self, bytes: &[u8], within: Duration) -> Result<(), Ended> {
        let sent = frame::write(&mut self.to.within(within), bytes);
        sent.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => self.ended(&format!("it took nothing for {} s", within.as_secs())),
            _ => self.ended(""),
        })
    }

    /// The next frame that it sends.
    ///
    /// # Errors
    /// When it is over, or sends nothing in time; then it is killed.
    pub fn frame(&mut self, within: Duration) -> Result<Vec<u8>, Ended> {
        let received = self.frames.recv_timeout(within);
        self.received(received, within)
    }

    /// The next frame that it sends; none once `stop` says that nobody wants it any more.
    ///
    /// # Errors
    /// As [`Child::frame`].
    pub fn frame_unless(
        &mut self,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<u8>>, Ended> {
        let until = Instant::now() + within;
        loop {
            match self.frames.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) if stop() => return Ok(None),
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
                received => return self.received(received, within).map(Some),
            }
        }
    }

    fn received(
        &mut self,
        received: Result<io::Result<Vec<u8>>, RecvTimeoutError>,
        within: Duration,
    ) -> Result<Vec<u8>, Ended> {
        match received {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(self.ended(&error.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                Err(self.ended(&format!("no answer for {} s", within.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.ended("")),
        }
    }

    /// It is over; makes sure of that. How it ended by itself says more than that a pipe was closed, so it is given a
    /// moment unless something else was `seen`.
    pub fn ended(&mut self, seen: &str) -> Ended {
        let until = Instant::now() + if seen.is_empty() { END_WITHIN } else { Duration::ZERO };
        let mut status = self.child.try_wait();
        while matches!(status, Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
            status = self.child.try_wait();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        Ended(match status {
            // "exit status: 1" or "signal: 9 (SIGKILL)".
            Ok(Some(status)) if seen.is_empty() => status.to_string(),
            _ if seen.is_empty() => "it closed its pipe".to_owned(),
            _ => seen.to_owned(),
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has nothing to put away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
