//! A container that was started: its lines as they come, and its end, which is waited for, or made.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as Cause;
use bollard::models::ContainerState;
use bollard::query_parameters::{EventsOptions, KillContainerOptions, LogsOptions, WaitContainerOptions};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::engine::{inspect, is_over};
use crate::error::{Error, Kind, Started, status};
use crate::lines::{Line, Lines};
use crate::outcome::{End, KILLED, Outcome, times};

/// What was killed is gone in milliseconds; an engine under load takes longer to say so.
const DYING: Duration = Duration::from_secs(30);
/// Whoever takes lines has so long for the last of them when the container is over.
const LAST_LINES: Duration = Duration::from_secs(5);
/// How long news from the kernel takes to reach an engine that is busy.
const NEWS: Duration = Duration::from_secs(2);
/// Lines that a reader may be behind by, where the reader is ours.
const BEHIND_MAX: usize = 64;

/// A container that was started. Dropping it ends nothing.
pub struct Running {
    docker: Docker,
    name: String,
    timeout: Duration,
    until: Instant,
    log_bytes_max: usize,
}

impl Running {
    pub(crate) fn new(
        docker: Docker,
        name: String,
        state: Option<&ContainerState>,
        timeout: Duration,
        log_bytes_max: usize,
    ) -> Self {
        // It may have run for a while before we came back.
        let ran = state.map(|state| times(state).1).unwrap_or_default();
        Self { docker, name, timeout, until: Instant::now() + timeout.saturating_sub(ran), log_bytes_max }
    }

    /// The container's name on the engine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends all that it prints to `lines`, from the beginning, and waits for its end; it is killed when its time is up or
    /// `cancel` is. A reader that is gone or behind holds nothing up but its own lines. The container stays, for
    /// [`crate::Engine::remove`].
    ///
    /// # Errors
    /// [`Kind::Lost`] where the engine goes away meanwhile: [`crate::Engine::find`] tells when it is back.
    pub async fn wait(
        &self,
        lines: mpsc::Sender<Line>,
        cancel: &CancellationToken,
    ) -> Result<Outcome, Error> {
        let mut log = Box::pin(self.send_lines(lines));
        let mut truncated = None;
        let ended = {
            let mut ended = Box::pin(self.ended());
            loop {
                tokio::select! {
                    biased;
                    ended = &mut ended => break ended.map(|()| None),
                    full = &mut log, if truncated.is_none() => truncated = Some(full),
                    () = cancel.cancelled() => break Ok(Some(End::Cancelled)),
                    () = sleep_until(self.until) => break Ok(Some(End::TimedOut)),
                }
            }
        };
        let killed = ended?;
        if killed.is_some() {
            self.kill().await?;
        }
        if truncated.is_none() {
            truncated = timeout(LAST_LINES, log).await.ok();
        }
        let mut outcome = self.outcome(killed.is_none()).await?;
        if let Some(end) = killed.filter(|_| outcome.end == End::Exited && outcome.exit_code != 0) {
            outcome.end = end;
        }
        outcome.log_truncated = truncated.unwrap_or(true);
        Ok(outcome)
    }

    /// What became of it, and all that it printed; it is over.
    pub(crate) async fn printed(&self) -> Result<(Outcome, Vec<Line>), Error> {
        let (sender, mut receiver) = mpsc::channel(BEHIND_MAX);
        let take = async {
            let mut all = Vec::new();
            while let Some(line) = receiver.recv().await {
                all.push(line);
            }
            all
        };
        let (truncated, lines) = tokio::join!(self.send_lines(sender), take);
        let mut outcome = self.outcome(true).await?;
        outcome.log_truncated = truncated;
        Ok((outcome, lines))
    }

    /// Sends lines until there are no more; whether there were more than is read.
    async fn send_lines(&self, lines: mpsc::Sender<Line>) -> bool {
        let mut printed = Lines::new(self.log_bytes_max);
        if !self.read_log(true, &mut printed, &lines).await {
            return true;
        }
        // A busy engine stops to follow when the container ends, and not when its log does: once it is over, what is
        // still missing is read of the whole log. An engine that goes away is noticed by whoever waits for the end.
        if !printed.has_lost() && self.ended().await.is_ok() {
            printed.skip_seen();
            if !self.read_log(false, &mut printed, &lines).await {
                return true;
            }
        }
        for line in printed.rest() {
            if lines.send(line).await.is_err() {
                return true;
            }
        }
        printed.has_lost()
    }

    /// Sends the lines of the log, up to where it ends now or for as long as it grows; whether it was read to there.
    async fn read_log(&self, follow: bool, printed: &mut Lines, lines: &mpsc::Sender<Line>) -> bool {
        let options = LogsOptions { follow, stdout: true, stderr: true, ..LogsOptions::default() };
        let mut pieces = Box::pin(self.docker.logs(&self.name, Some(options)));
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else { return false };
            for line in printed.add(&piece) {
                if lines.send(line).await.is_err() {
                    return false;
                }
            }
            if printed.has_lost() {
                break;
            }
        }
        true
    }

    /// Returns when it runs no more.
    async fn ended(&self) -> Result<(), Error> {
        // "next-exit" would wait for ever where it is over already.
        let options = WaitContainerOptions { condition: "not-running".to_owned() };
        let mut answers = Box::pin(self.docker.wait_container(&self.name, Some(options)));
        match answers.next().await {
            // Any other code than 0 is an error to bollard.
            Some(Ok(_) | Err(Cause::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(error)) => Err(self.lost(&Error::of(&error, "wait for the container"))),
            None => {
                // The engine hung up. Where the container is over all the same, that is all there is to know.
                match inspect(&self.docker, &self.name).await {
                    Ok(Some(found)) if is_over(&found) => Ok(()),
                    Ok(_) => Err(self.lost(&Error::new(Kind::Lost, "it hung up."))),
                    Err(error) => Err(self.lost(&error)),
                }
            }
        }
    }

    async fn kill(&self) -> Result<(), Error> {
        let until = Instant::now() + DYING;
        let options = KillContainerOptions { signal: "SIGKILL".to_owned() };
        let killed = within(until, self.docker.kill_container(&self.name, Some(options))).await;
        match killed {
            // 409: it was over before.
            Some(Err(error)) if !matches!(status(&error), Some(404 | 409)) => {
                return Err(self.lost(&Error::of(&error, "kill the container")));
            }
            Some(_) => {}
            None => return Err(self.lost(&Error::late("kill the container"))),
        }
        match timeout_at(until, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => Err(self.lost(&Error::late("end the container"))),
        }
    }

    /// What the engine knows of its end; a kill that nobody here did is looked into.
    async fn outcome(&self, look_into: bool) -> Result<Outcome, Error> {
        let found = inspect(&self.docker, &self.name).await.map_err(|error| self.lost(&error))?;
        let (id, state) = found.map(|found| (found.id, found.state)).unwrap_or_default();
        let state = state.ok_or_else(|| self.lost(&Error::new(Kind::Lost, "somebody else removed it.")))?;
        let mut outcome = Outcome::of(&state, self.timeout);
        if look_into
            && outcome.end == End::Exited
            && outcome.exit_code == KILLED
            && self.ran_out_of_memory(id).await
        {
            outcome.end = End::OutOfMemory;
        }
        Ok(outcome)
    }

    /// The engine hears of the kernel's kill and of the end by two ways, and where the second is faster it does not note the
    /// first with the container. It tells it all the same.
    async fn ran_out_of_memory(&self, id: Option<String>) -> bool {
        // By id: an earlier one of the same name is another one.
        let filters = [("container", id.unwrap_or_else(|| self.name.clone())), ("event", "oom".to_owned())];
        let filters = filters.map(|(name, value)| (name.to_owned(), vec![value]));
        // From the beginning of what it remembers, to two seconds from now.
        let until = (Timestamp::now() + NEWS).as_second().to_string();
        let (since, filters) = (Some("1".to_owned()), Some(HashMap::from(filters)));
        let mut news =
            Box::pin(self.docker.events(Some(EventsOptions { since, until: Some(until), filters })));
        matches!(timeout(2 * NEWS, news.next()).await, Ok(Some(Ok(_))))
    }

    fn lost(&self, error: &Error) -> Error {
        let message = format!("What became of the container {} is not known: {}", self.name, error.message);
        Error { kind: Kind::Lost, started: Started::Yes, message }
    }
}

async fn within<T>(until: Instant, asked: impl Future<Output = T>) -> Option<T> {
    timeout_at(until, asked).await.ok()
}

impl Debug for Running {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
