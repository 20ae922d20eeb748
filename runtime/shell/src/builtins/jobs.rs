//! Sync jobs: `sync`, which copies between a directory and a remote, and `job`, which follows one that runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::folder::human_size;
use super::options::Given;
use crate::failure::Failure;
use crate::path;
use crate::render::Format;
use crate::session::{Flow, Session};

/// Between two news of a job; a job that has not begun says nothing.
const PATIENCE: Duration = Duration::from_hours(24);

/// Characters of a bar.
const WIDTH: usize = 24;

pub(super) async fn sync(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let cwd = session.cwd();
    let sides: Vec<String> = given.texts().iter().map(|text| side(&cwd, text)).collect();
    let job = json!({ "source": sides[0], "destination": sides[1], "verb": "copy" });
    follow(session, "mcp.sync.runJob", json!({ "job": job, "wait": true })).await
}

pub(super) async fn job(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let id = given.texts().first().copied().unwrap_or_default().to_owned();
    follow(session, "mcp.sync.getJobStatus", json!({ "job_id": id, "wait": true })).await
}

/// A path from where we are, or a folder of a remote, which has a colon before any slash.
fn side(cwd: &str, text: &str) -> String {
    let is_remote = text.split('/').next().is_some_and(|first| first.contains(':'));
    if is_remote { text.to_owned() } else { path::absolute(cwd, text) }
}

/// Makes a call that ends with a job, and shows a bar meanwhile.
async fn follow(session: &mut Session, method: &str, params: Value) -> Result<Flow, Failure> {
    let people = session.screen.format == Format::People;
    let outcome = session
        .call_with(method, &params, PATIENCE, |screen, news| {
            if people {
                screen.bar(&bar(&news["details"]));
            }
            Ok(())
        })
        .await;
    session.screen.bar_is_done();
    let result = outcome?;
    if people {
        let word = |key: &str| result[key].as_str().unwrap_or_default();
        let said = if word("status_message").is_empty() { word("message") } else { word("status_message") };
        session.screen.text(&format!("{} {}: {said}", word("job_id"), word("status")))?;
    } else {
        session.screen.value(&result)?;
    }
    Ok(Flow::Continue)
}

/// `[########                ]  33 %  4.0MB of 12.0MB, 1 of 3 files, 2.0MB/s, 4 s left`.
fn bar(progress: &Value) -> String {
    let count = |key: &str| progress[key].as_u64().unwrap_or_default();
    let size = |bytes: u64| human_size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let (done, all) = (count("bytes"), count("total_bytes"));
    let full = usize::try_from((u128::from(done) * WIDTH as u128).checked_div(u128::from(all)).unwrap_or(0));
    let full = full.unwrap_or(WIDTH).min(WIDTH);
    let percent = (u128::from(done) * 100).checked_div(u128::from(all)).unwrap_or(0);
    let speed =
        Duration::try_from_secs_f64(progress["speed"].as_f64().unwrap_or_default()).unwrap_or_default();
    let left = progress["eta_seconds"].as_u64().map_or_else(String::new, |eta| format!(", {eta} s left"));
    let errors = match count("errors") {
        0 => String::new(),
        errors => format!(", {errors} errors"),
    };
    format!(
        "[{}{}] {percent:>3} %  {} of {}, {} of {} files, {}/s{left}{errors}",
        "#".repeat(full),
        " ".repeat(WIDTH - full),
        size(done),
        size(all),
        count("files"),
        count("total_files"),
        size(speed.as_secs()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        let check = |progress: Value, expected: &str| assert_eq!(bar(&progress), expected);
        check(json!({}), "[                        ]   0 %  0B of 0B, 0 of 0 files, 0B/s");
        check(
            json!({ "bytes": 4 << 20, "total_bytes": 12 << 20, "files": 1, "total_files": 3, "speed": 2_097_152.5, "eta_seconds": 4, "errors": 2 }),
            "[########                ]  33 %  4.0MB of 12.0MB, 1 of 3 files, 2.0MB/s, 4 s left, 2 errors",
        );
        check(
            json!({ "bytes": 9, "total_bytes": 3 }),
            "[########################] 300 %  9B of 3B, 0 of 0 files, 0B/s",
        );
    }

    #[test]
    fn sides() {
        let check = |text: &str, expected: &str| assert_eq!(side("/here", text), expected);
        check("a", "/here/a");
        check("/a:b", "/a:b");
        check("a/b:c", "/here/a/b:c");
        check("box:", "box:");
        check("box:a/b", "box:a/b");
        check(".", "/here");
    }
}
