//! A job with a process of its own: a comparison, bisync, and what has a bandwidth of its own.

use std::time::Duration;

use crate::attempt::{End, Run};
use crate::rclone::{Line, Once, Reach, Version, version};
use crate::runner::stopped;
use crate::verb::Verb;

/// Differences of a comparison that are written down.
const DIFFERENCES_TOLD: usize = 200;

/// What rclone says when a comparison ended as it should, with differences.
const FOUND_DIFFERENCES: &str = "differences found";

pub(crate) async fn run(run: &mut Run<'_>) -> End {
    let task = &run.job.task;
    let mut words = vec![task.verb.word().to_owned()];
    words.extend(task.options.arguments(task.verb, run.sides.backup.as_deref()));
    let mut reach = Reach::AsRoots;
    match task.verb {
        Verb::Check => {
            words.push("--combined=-".to_owned());
            reach = Reach::Nothing;
        }
        Verb::Bisync => {
            words.push(format!("--workdir={}", run.service.place().home.join("bisync").display()));
            match version(run.service.place().clone()).await {
                // Goes on after an interruption by itself, and takes over the lock of one that died.
                Ok(version) if version >= Version::RESILIENT => {
                    words.extend(["--resilient", "--recover", "--max-lock=2m"].map(str::to_owned));
                }
                Ok(version) => run.say(&format!(
                    "rclone {version} has no --resilient, --recover and --max-lock: after an interruption it needs options.resync"
                )),
                Err(error) => return End::Failed { why: error.message, again: false },
            }
        }
        Verb::Copy | Verb::Sync | Verb::Move => {}
    }
    let sides = [run.sides.source.clone(), run.sides.destination.clone()];
    let mut once = match Once::start(run.service.place().clone(), words, sides, reach).await {
        Ok(once) => once,
        Err(error) => return End::Failed { why: error.message, again: false },
    };
    run.live.works_in(once.process.pid());
    let end = follow(run, &mut once).await;
    run.live.works_in(0);
    end
}

async fn follow(run: &mut Run<'_>, once: &mut Once) -> End {
    let mut stop = run.live.stop.subscribe();
    let limit = Duration::from_secs(run.service.settings().stop_seconds);
    let is_check = run.job.task.verb == Verb::Check;
    let (mut error, mut different) = (String::new(), 0_usize);
    loop {
        tokio::select! {
            line = once.next() => match line {
                None => break,
                // A comparison's errors are its differences, which are counted below.
                Some(Line::Stats(mut stats)) => {
                    if is_check {
                        stats.errors = 0;
                    }
                    run.advance(&stats);
                }
                Some(Line::Change(change)) if change.action != "=" => {
                    different += 1;
                    run.differs();
                    if different <= DIFFERENCES_TOLD {
                        run.say(&format!("{} {}", change.action, change.path));
                    }
                }
                Some(Line::Change(_)) => {}
                Some(Line::Error(said)) => {
                    if !is_check {
                        run.say(&said);
                    }
                    error = said;
                }
                Some(Line::Said(said)) => {
                    if !is_check {
                        run.say(&said);
                    }
                    if said.contains(FOUND_DIFFERENCES) && is_check {
                        error = said;
                    }
                }
            },
            why = stopped(&mut stop) => {
                let how = once.process.end(limit).await;
                let killed = how.is_some_and(|how| how.code().is_none() && how.to_string().contains("SIGKILL"));
                let killed = if killed { format!(" (killed, after {} s)", limit.as_secs()) } else { String::new() };
                return End::Stopped(why, format!("stopped{killed}; {}", run.done()));
            }
        }
    }
    let how = once.process.ended().await;
    let code = how.and_then(crate::rclone::Ended::code);
    match code {
        Some(0) if is_check => {
            End::Done(format!("no difference; {} files were compared", run.progress().checks))
        }
        Some(0) => End::Done(run.done()),
        Some(1) if is_check && error.contains(FOUND_DIFFERENCES) => {
            End::Done(format!("{different} differences; the log has them"))
        }
        Some(_) => {
            let why =
                if error.is_empty() { "rclone does not say why".to_owned() } else { run.public(&error) };
            let again = matches!(run.job.task.verb, Verb::Copy | Verb::Sync | Verb::Move) && code == Some(5);
            End::Failed { why: format!("{why}{}", advice(&error)), again }
        }
        None => {
            let how = how.map_or_else(|| "nobody knows how".to_owned(), |how| how.to_string());
            End::Interrupted(format!(
                "rclone ended in the middle of it ({how}); {}. mcp.sync.resume goes on.",
                run.done()
            ))
        }
    }
}

/// What to do about what rclone says.
fn advice(error: &str) -> &'static str {
    let error = error.to_lowercase();
    if error.contains("resync") || error.contains("prior path1") || error.contains("aborted") {
        " Its first run, and one after a failure, needs options.resync, which deletes nothing."
    } else {
        ""
    }
}
