//! A job as callers see it, and how one is followed to its end.

use std::time::Duration;

use protocol::{Context, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::job::{Job, State, Task};
use crate::journal::time;
use crate::options::Options;
use crate::progress::Progress;
use crate::refusal;
use crate::service::Sync;
use crate::verb::Verb;

/// Between looks at a job that another process runs.
const LOOK: Duration = Duration::from_secs(1);

/// Progress is told no more often than this. With the half second between two looks at rclone, what is told is less than
/// one second old.
const TOLD_EVERY: Duration = Duration::from_millis(400);

/// What a job is to do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// From where: `/folder`, a folder from the virtual root, or `remote:folder`, a remote of mcp.sync.listRemotes.
    source: String,
    /// To where, written the same way.
    destination: String,
    /// What the job's id begins with: letters, digits, `_` and `-`.
    #[serde(default = "adhoc")]
    job_id_prefix: String,
    /// The original's way to say it: the verb first, if it is not `copy`, then flags of `rclone` from the same list as
    /// `options`.
    #[serde(default)]
    rclone_args: Vec<String>,
    /// What it does.
    #[serde(default)]
    verb: Option<Verb>,
    /// Its options.
    #[serde(default)]
    options: Option<Options>,
}

fn adhoc() -> String {
    "adhoc".to_owned()
}

impl Wanted {
    /// The task, if it is one that can be meant; and the prefix.
    pub(crate) fn read(self) -> Result<(String, Task), Error> {
        if self.rclone_args.len() > 200 {
            return Err(Error::invalid_params("rclone_args takes at most 200 words"));
        }
        let (said, options) = Options::from_arguments(&self.rclone_args)?;
        if self.options.is_some() && options != Options::default() {
            return Err(Error::invalid_params(
                "flags are in rclone_args and options are in options: say it once",
            ));
        }
        let verb = match (said, self.verb) {
            (Some(one), Some(other)) if one != other => {
                return Err(Error::invalid_params("verb and rclone_args say two things: say it once"));
            }
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let options = self.options.unwrap_or(options);
        options.check()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let prefix = self.job_id_prefix;
        if prefix.is_empty() || prefix.len() > 40 || prefix.starts_with('-') || !prefix.chars().all(plain) {
            return Err(refusal::refused(
                "bad_job_id",
                format!(
                    "The job_id_prefix '{}' must be 1 to 40 letters, digits, '_' or '-', not beginning with '-'.",
                    refusal::shown(&prefix)
                ),
            ));
        }
        let task = Task { verb, source: self.source, destination: self.destination, options };
        crate::side::Side::parse("source", &task.source)?;
        crate::side::Side::parse("destination", &task.destination)?;
        Ok((prefix, task))
    }
}

/// A job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct View {
    /// What it is called in other calls.
    job_id: String,
    /// What it does, in a line.
    description: String,
    /// What it does.
    verb: Verb,
    /// From where.
    source: String,
    /// To where.
    destination: String,
    /// The definition that it was made from, or null.
    name: Option<String>,
    /// How it is.
    pub(crate) status: State,
    /// Whether anything of it is still to come.
    pub(crate) is_running: bool,
    /// How it is, for a person.
    pub(crate) status_message: String,
    /// When it began (RFC 3339, UTC), or null.
    start_time: Option<String>,
    /// When it ended, or null.
    end_time: Option<String>,
    /// The process of rclone's that works on it, or null.
    pid: Option<u32>,
    /// It is 0 when the job did what it was to do, 1 when it did not or a check found differences, and otherwise null.
    return_code: Option<i32>,
    /// How often it was begun.
    attempt: u32,
    /// Who asked for it.
    caller: String,
    /// How far it is.
    pub(crate) progress: Progress,
}

impl View {
    /// The process that works on it.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// A job as it is now: what is in the journal, and what is newer than that.
    pub(crate) fn of(service: &Sync, job: Job) -> Self {
        let live = service.runner().live(&job.id);
        let (state, progress) = match &live {
            Some(live) if job.state.is_active() => {
                let now = live.now.borrow().clone();
                // Before it has begun it has nothing to tell, and what the attempts before it did stays.
                if now.0 == State::Queued { (job.state, job.progress.clone()) } else { now }
            }
            _ => (job.state, job.progress.clone()),
        };
        let message = if state == State::Running { "runs".to_owned() } else { job.message.clone() };
        Self {
            description: job.task.description(),
            verb: job.task.verb,
            source: job.task.source,
            destination: job.task.destination,
            name: job.name,
            status: state,
            is_running: state.is_active(),
            status_message: message,
            start_time: job.started_ms.map(time),
            end_time: job.ended_ms.map(time),
            pid: live.and_then(|live| live.pid()),
            return_code: job.return_code,
            attempt: job.attempt,
            caller: job.caller,
            progress,
            job_id: job.id,
        }
    }
}

/// Tells how far a job is until it is over, and then how it ended.
pub(crate) async fn follow(service: &Sync, context: &Context, id: &str) -> Result<Job, Error> {
    loop {
        if let Some(live) = service.runner().live(id) {
            let mut now = live.now.subscribe();
            loop {
                let (state, progress) = now.borrow_and_update().clone();
                tell(context, id, state, &progress);
                if !state.is_active() {
                    break;
                }
                tokio::time::sleep(TOLD_EVERY).await;
                // A job whose task died tells nothing any more.
                if !now.has_changed().unwrap_or(false) {
                    tokio::select! {
                        changed = now.changed() => if changed.is_err() { break },
                        () = tokio::time::sleep(LOOK) => if service.runner().live(id).is_none() { break },
                    }
                }
            }
        }
        let job = service.job(&context.caller, id).await?;
        if !job.state.is_active() {
            tell(context, id, job.state, &job.progress);
            return Ok(job);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn tell(context: &Context, id: &str, state: State, progress: &Progress) {
    let speed = progress.speed / 1e6;
    let eta = progress.eta_seconds.map_or_else(String::new, |eta| format!(", {eta} s left"));
    let message = format!(
        "{}: {} of {} files, {speed:.1} MB/s{eta}",
        state.word(),
        progress.files,
        progress.total_files
    );
    context.progress(&json!({
        "progress": progress.bytes, "total": progress.total_bytes, "message": message,
        "job_id": id, "status": state, "details": progress,
    }));
}
