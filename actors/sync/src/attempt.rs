//! One attempt at a job: by rclone's remote control, or by a process of its own where that cannot do it. What fails on the
//! way is tried again a few times, as rclone's command line does; nothing else ever begins by itself.

use std::time::{Duration, Instant};

use crate::job::{Job, Outcome, State};
use crate::progress::{Progress, Stats};
use crate::rclone::Version;
use crate::runner::{Live, Stop};
use crate::service::{Sides, Sync};
use crate::verb::Verb;
use crate::{by_itself, by_remote_control};

/// As rclone's command line has it.
const TRIES: u32 = 3;

/// Between tries: long enough for a server to come back that was restarted.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the journal is told how far a job is.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// How a try ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It did what it was to do.
    Done(String),
    /// It was told to stop, and did.
    Stopped(Stop, String),
    /// It did not, for this reason; `again` is whether another try may help.
    Failed { why: String, again: bool },
    /// rclone was gone in the middle of it.
    Interrupted(String),
}

/// A job under way: what a try needs of it, and how far it is.
pub(crate) struct Run<'a> {
    pub(crate) service: &'a Sync,
    pub(crate) job: &'a Job,
    pub(crate) live: &'a Live,
    pub(crate) sides: Sides,
    /// Where the tries before this one got to.
    base: Progress,
    progress: Progress,
    written: Option<Instant>,
}

/// Makes an attempt, and says what it came to.
pub(crate) async fn attempt(service: &Sync, job: &Job, live: &Live) -> (Outcome, Progress) {
    let before = job.progress.clone();
    let sides = match service.resolve(&job.tier, &job.task).await {
        Ok(sides) => sides,
        Err(error) => return (Outcome::new(State::Failed, error.message), before),
    };
    if let Err(error) = service.journal().started(&job.id, "runs").await {
        return (Outcome::new(State::Failed, error.message), before);
    }
    tracing::info!(job = job.id, caller = job.caller, verb = job.task.verb.word(), "sync job begins");
    let mut run = Run { service, job, live, sides, base: before.clone(), progress: before, written: None };
    run.publish();
    let mut tries = 1;
    loop {
        let end = run.try_once().await;
        if matches!(end, End::Failed { .. }) {
            // What ends a job is not always among the errors that rclone counts.
            run.progress.errors = run.progress.errors.max(run.base.errors + 1);
        }
        match end {
            End::Failed { why, again: true } if tries < TRIES => {
                tries += 1;
                service.journal().said(&job.id, format!("failed, and is tried again: {why}"));
                run.base = run.progress.clone();
                let mut stop = live.stop.subscribe();
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    why = crate::runner::stopped(&mut stop) => {
                        return (why.outcome("stopped between two tries"), run.progress);
                    }
                }
            }
            End::Failed { why, .. } => return (Outcome::new(State::Failed, why), run.progress),
            End::Stopped(why, message) => return (why.outcome(&message), run.progress),
            End::Interrupted(why) => return (Outcome::new(State::Interrupted, why), run.progress),
            End::Done(message) => {
                let mut outcome = Outcome::new(State::Completed, message);
                if job.task.verb == Verb::Check && run.progress.errors > 0 {
                    outcome.return_code = Some(1);
                }
                return (outcome, run.progress);
            }
        }
    }
}

impl Run<'_> {
    /// The remote control knows one bandwidth for all jobs, no comparison in old versions, and hangs in old ones' bisync.
    async fn try_once(&mut self) -> End {
        let task = &self.job.task;
        let own = matches!(task.verb, Verb::Check | Verb::Bisync) || task.options.bwlimit.is_some();
        if own { by_itself::run(self).await } else { by_remote_control::run(self).await }
    }

    /// Takes in what rclone counts.
    pub(crate) fn advance(&mut self, stats: &Stats) {
        self.progress.advance(&self.base, stats);
        self.publish();
    }

    /// Tells those who follow, at once, and the journal, once in a while.
    fn publish(&mut self) {
        let state = if self.live.stop.borrow().is_some() { State::Stopping } else { State::Running };
        self.live.now.send_replace((state, self.progress.clone()));
        if self.written.is_none_or(|written| written.elapsed() >= WRITTEN_EVERY) {
            self.written = Some(Instant::now());
            self.service.journal().reached(&self.job.id, &self.progress);
        }
    }

    /// Something for the job's log.
    pub(crate) fn say(&self, line: &str) {
        self.service.journal().said(&self.job.id, self.public(line));
    }

    /// rclone's words for a caller.
    pub(crate) fn public(&self, text: &str) -> String {
        self.service.public(text, &self.sides)
    }

    /// How many files may still be deleted.
    pub(crate) fn deletes_left(&self) -> Option<u64> {
        self.job.task.options.max_delete.map(|most| most.saturating_sub(self.progress.deletes))
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// One more difference of a comparison.
    pub(crate) fn differs(&mut self) {
        self.progress.errors += 1;
        self.publish();
    }

    /// What is to be said of a version that leaves truncated files.
    pub(crate) fn caveat(version: Version) -> &'static str {
        if version < Version::PARTIAL {
            " This rclone is older than 1.63 and may have left a truncated file under its final name, which resuming sends again."
        } else {
            ""
        }
    }

    /// `12 files, 34 bytes`, for the end.
    pub(crate) fn done(&self) -> String {
        let Progress { files, bytes, deletes, checks, .. } = &self.progress;
        let deleted = if *deletes > 0 { format!(", {deletes} deleted") } else { String::new() };
        format!("{files} files with {bytes} bytes were transferred{deleted}, {checks} were compared")
    }
}
