//! Writing into a pipe for no longer than one is patient: a process that was stopped reads nothing, and never says so.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A pipe into a process.
pub(crate) struct Patient(ChildStdin);

/// The same, until a moment.
pub(crate) struct Until<'a> {
    pipe: &'a mut ChildStdin,
    until: Instant,
}

impl Patient {
    /// Only this end of it waits for nobody; the process's own end is as it was.
    pub(crate) fn new(pipe: ChildStdin) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self(pipe))
    }

    pub(crate) fn within(&mut self, patience: Duration) -> Until<'_> {
        Until { pipe: &mut self.0, until: Instant::now() + patience }
    }
}

impl Write for Until<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            let left = self.until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&*self.pipe, PollFlags::OUT)], Some(&left)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
