//! A job that the one rclone of the remote control does, in a group of statistics of its own.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::attempt::{End, Run};
use crate::progress::Stats;
use crate::rclone::{Lease, Unanswered};
use crate::runner::{Stop, stopped};
use crate::service::random;

/// Followers see nothing older than twice this.
const LOOK: Duration = Duration::from_millis(500);

/// The first look; each later one waits twice as long. Most jobs find nothing to do.
const LOOK_FIRST: Duration = Duration::from_millis(20);

/// How long a question may take: it is a look at memory.
const ASK: Duration = Duration::from_secs(5);

/// Beginning a job looks at both sides.
const BEGIN: Duration = Duration::from_mins(1);

/// One that answers nothing for so long hangs.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// A job in which nothing moves for so long is given up; rclone's own patience with a server is five minutes.
const STALLS_AFTER: Duration = Duration::from_mins(15);

#[derive(Deserialize)]
struct Begun {
    jobid: u64,
}

#[derive(Deserialize)]
struct Status {
    finished: bool,
    success: bool,
    error: String,
}

#[derive(Deserialize)]
struct Transferred {
    transferred: Option<Vec<File>>,
}

/// A file that was transferred, or not.
#[derive(Deserialize)]
struct File {
    name: String,
    size: i64,
    #[serde(default)]
    checked: bool,
    #[serde(default)]
    error: String,
}

/// Ends rclone when nobody follows a job of its any more: it would go on without anybody who knows.
struct Followed<'a> {
    lease: &'a Lease,
    over: bool,
}

impl Drop for Followed<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.lease.process.kill();
        }
    }
}

pub(crate) async fn run(run: &mut Run<'_>) -> End {
    let lease = match run.service.keeper().lease().await {
        Ok(lease) => lease,
        Err(error) => return End::Failed { why: error.message, again: false },
    };
    run.live.works_in(lease.process.pid());
    let mut followed = Followed { lease: &lease, over: false };
    let end = follow(run, &lease).await;
    followed.over = true;
    run.live.works_in(0);
    end
}

async fn follow(run: &mut Run<'_>, lease: &Lease) -> End {
    let group = match random(8) {
        Ok(random) => format!("{}-{random}", run.job.id),
        Err(error) => return End::Failed { why: error.message, again: false },
    };
    let task = &run.job.task;
    let (config, filter) = task.options.remote_control(run.sides.backup.as_deref(), run.deletes_left());
    let params = json!({
        "srcFs": run.sides.source, "dstFs": run.sides.destination,
        "createEmptySrcDirs": task.options.create_empty_src_dirs,
        "_async": true, "_group": group, "_config": config, "_filter": filter,
    });
    let begun = lease.client.ask::<Begun>(&format!("sync/{}", task.verb.word()), &params, BEGIN).await;
    let id = match begun {
        Ok(begun) => begun.jobid,
        Err(Unanswered::Refused(_, why)) => return End::Failed { why: run.public(&why), again: false },
        Err(error) => return gone(run, lease, &error.to_string()).await,
    };
    let end = watch(run, lease, id, &group).await;
    if !lease.process.is_over() {
        tell_files(run, lease, &group).await;
        // Otherwise it remembers every group for ever; 1.60 does not know how to forget.
        let _ = lease.client.ask::<Value>("core/stats-delete", &json!({ "group": group }), ASK).await;
    }
    end
}

async fn watch(run: &mut Run<'_>, lease: &Lease, id: u64, group: &str) -> End {
    let mut stop = run.live.stop.subscribe();
    let (mut told, mut pause) = (None::<(Instant, Stop)>, LOOK_FIRST);
    let (mut answered, mut moved, mut seen) = (Instant::now(), Instant::now(), String::new());
    let limit = Duration::from_secs(run.service.settings().stop_seconds);
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LOOK),
            how = lease.process.ended() => {
                let how = how.map_or_else(|| "nobody knows how".to_owned(), |how| how.to_string());
                return match told {
                    Some((_, why)) => End::Stopped(why, format!("rclone ended ({how}) while it stopped; {}", run.done())),
                    None => gone(run, lease, &how).await,
                };
            }
            why = stopped(&mut stop), if told.is_none() => {
                told = Some((Instant::now(), why));
                let _ = lease.client.ask::<Value>("job/stop", &json!({ "jobid": id }), ASK).await;
            }
        }
        if let Some((since, why)) = told
            && since.elapsed() > limit
        {
            lease.process.kill();
            lease.process.ended().await;
            return End::Stopped(
                why,
                format!("it did not stop within {} s, so rclone was killed; {}", limit.as_secs(), run.done()),
            );
        }
        // The status first: what is counted after it says that it is over is all there is.
        let status = lease.client.ask::<Status>("job/status", &json!({ "jobid": id }), ASK).await;
        let stats = lease.client.ask::<Stats>("core/stats", &json!({ "group": group }), ASK).await;
        if let Ok(stats) = &stats {
            run.advance(stats);
            let now = format!("{} {} {} {}", stats.bytes, stats.checks, stats.listed, stats.transfers);
            if now != seen {
                (seen, moved) = (now, Instant::now());
            }
        }
        match status {
            Ok(status) if status.finished => {
                return over(run, &status, &stats.unwrap_or_default(), told.map(|(_, why)| why));
            }
            Ok(_) => answered = Instant::now(),
            Err(Unanswered::Refused(_, why)) => return gone(run, lease, &why).await,
            Err(_) if answered.elapsed() > HANGS_AFTER => {
                lease.process.kill();
                return gone(run, lease, "it hung and was killed").await;
            }
            Err(_) => {}
        }
        if moved.elapsed() > STALLS_AFTER && told.is_none() {
            let _ = lease.client.ask::<Value>("job/stop", &json!({ "jobid": id }), ASK).await;
            let why = format!("nothing moved for {} minutes; {}", STALLS_AFTER.as_secs() / 60, run.done());
            return End::Failed { why, again: false };
        }
    }
}

/// What cannot be helped by another try.
const POINTLESS: &[&str] = &[
    "not found",
    "is a file",
    "didn't find",
    "max-delete",
    "permission denied",
    "no space left",
    "remaining disk space",
    "no such host",
    "overlap",
];

fn over(run: &Run<'_>, status: &Status, stats: &Stats, stopping: Option<Stop>) -> End {
    // A folder that cannot be read is an error that is counted, and no failure of the job's in rclone's eyes.
    match (status.success && stats.errors == 0, stopping) {
        (true, _) => End::Done(run.done()),
        (false, Some(why)) => End::Stopped(why, format!("stopped; {}", run.done())),
        (false, None) => {
            let why = match status.error.as_str() {
                "" => stats.last_error.clone().unwrap_or_else(|| "rclone does not say why".to_owned()),
                error => error.to_owned(),
            };
            // What was deleted counts against max_delete in the next try too.
            let limited = run.job.task.options.max_delete.is_some() && run.deletes_left() == Some(0);
            let again = !stats.fatal_error && !limited && !POINTLESS.iter().any(|text| why.contains(text));
            End::Failed { why: run.public(&why), again }
        }
    }
}

/// rclone has ended in the middle of it.
async fn gone(run: &Run<'_>, lease: &Lease, how: &str) -> End {
    if !lease.process.is_over() {
        lease.process.kill();
        lease.process.ended().await;
    }
    tracing::warn!(
        job = run.job.id,
        how,
        last_words = lease.last_words(),
        "rclone ended in the middle of a sync job"
    );
    let (how, done, caveat) = (run.public(how), run.done(), Run::caveat(lease.version));
    End::Interrupted(format!(
        "rclone ended in the middle of it ({how}); {done}. mcp.sync.resume goes on.{caveat}"
    ))
}

/// The last files of it, and what failed: rclone remembers a hundred.
async fn tell_files(run: &Run<'_>, lease: &Lease, group: &str) {
    let asked = lease.client.ask::<Transferred>("core/transferred", &json!({ "group": group }), ASK).await;
    for file in asked.ok().and_then(|asked| asked.transferred).into_iter().flatten() {
        if !file.error.is_empty() {
            run.say(&format!("failed: {}: {}", file.name, file.error));
        } else if !file.checked {
            run.say(&format!("transferred: {} ({} bytes)", file.name, file.size.max(0)));
        }
    }
}
