//! A process of rclone's that does one thing and ends: what the remote control cannot do, or not in every version. A dry
//! run that tells each change, a comparison that tells each difference, bisync, and a job with a bandwidth of its own.

use std::sync::Arc;

use protocol::Error;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::process::Process;
use super::{Hold, Place, Reach};
use crate::progress::Stats;
use crate::refusal;

/// How often it says how far it is.
const SAID_EVERY: &str = "--stats=500ms";

/// One that is running.
pub(crate) struct Once {
    pub(crate) process: Process,
    lines: mpsc::Receiver<String>,
}

/// Something that it said.
#[derive(Debug)]
pub(crate) enum Line {
    /// How far it is.
    Stats(Box<Stats>),
    /// What it would do, or of a comparison what it found.
    Change(Change),
    /// What went wrong.
    Error(String),
    /// Anything else.
    Said(String),
}

/// A change that would be made, or a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// rclone's word: `copy`, `delete`; or of a comparison `=`, `-`, `+`, `*`, `!`.
    pub(crate) action: String,
    /// The path below the sides.
    pub(crate) path: String,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// A line of its log.
#[derive(Deserialize)]
#[serde(default)]
struct Entry {
    level: String,
    msg: String,
    object: String,
    skipped: Option<String>,
    size: i64,
    stats: Option<Box<Stats>>,
}

impl Default for Entry {
    fn default() -> Self {
        let empty = String::new;
        Self { level: empty(), msg: empty(), object: empty(), skipped: None, size: 0, stats: None }
    }
}

impl Once {
    /// Starts `rclone` with these words, and sides, which are never read as flags.
    pub(crate) async fn start(
        place: Arc<Place>,
        mut words: Vec<String>,
        sides: [String; 2],
        reach: Reach,
    ) -> Result<Self, Error> {
        let always = ["--use-json-log", SAID_EVERY, "--stats-log-level=NOTICE", "--log-level=NOTICE"];
        words.extend(always.map(str::to_owned));
        words.push("--".to_owned());
        words.extend(sides);
        let started = tokio::task::spawn_blocking(move || place.start(words, reach, &[])).await;
        let (process, lines) = started.map_err(|error| {
            refusal::rclone("not_started", "rclone cannot be started.").with_detail(error)
        })??;
        Ok(Self { process, lines })
    }

    /// What it says next; none when it has closed its output.
    pub(crate) async fn next(&mut self) -> Option<Line> {
        loop {
            let line = self.lines.recv().await?;
            if Hold::told(&line).is_none() && !line.is_empty() {
                return Some(Line::read(&line));
            }
        }
    }
}

impl Line {
    fn read(line: &str) -> Self {
        if let Some((mark @ ("=" | "-" | "+" | "*" | "!"), path)) = line.split_once(' ') {
            return Self::Change(Change { action: mark.to_owned(), path: path.to_owned(), size: 0 });
        }
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { return Self::Error(line.to_owned()) };
        if let Some(stats) = entry.stats {
            return Self::Stats(stats);
        }
        if let Some(action) = entry.skipped {
            let size = u64::try_from(entry.size).unwrap_or(0);
            return Self::Change(Change { action, path: entry.object, size });
        }
        let said = match entry.object.as_str() {
            "" => entry.msg.trim().to_owned(),
            object => format!("{object}: {}", entry.msg.trim()),
        };
        match entry.level.as_str() {
            "error" | "critical" | "alert" | "emergency" | "fatal" => Self::Error(said),
            _ => Self::Said(said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_versions_are_read() {
        let old = r#"{"level":"warning","msg":"Skipped copy as --dry-run is set (size 7)","object":"a b.txt","objectType":"*local.Object","size":7,"skipped":"copy","source":"operations/operations.go:2404","time":"2026-11-26T01:52:50.707519+00:00"}"#;
        let Line::Change(change) = Line::read(old) else { panic!("a change") };
        assert_eq!(change, Change { action: "copy".into(), path: "a b.txt".into(), size: 7 });
        let new = r#"{"time":"x","level":"notice","msg":"\nTransferred","stats":{"bytes":21,"checks":2,"deletes":1,"errors":0,"eta":null,"fatalError":false,"listed":5,"speed":0,"totalBytes":21,"totalTransfers":3,"transfers":3}}"#;
        let Line::Stats(stats) = Line::read(new) else { panic!("stats") };
        assert_eq!(
            (stats.bytes, stats.transfers, stats.deletes, stats.listed, stats.eta),
            (21, 3, 1, 5, None)
        );
        assert!(
            matches!(Line::read("* f1.txt"), Line::Change(change) if change.action == "*" && change.path == "f1.txt")
        );
        assert!(
            matches!(Line::read(r#"{"level":"error","msg":"sizes differ","object":"x"}"#), Line::Error(said) if said == "x: sizes differ")
        );
        assert!(matches!(Line::read("2026/11/22 Failed to create file system"), Line::Error(_)));
    }
}
