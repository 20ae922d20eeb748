//! Every file in `tests/ics`, and what is read of it: `tests/golden/NAME.json`, reviewed against RFC 5545 by hand.

use serde_json::{Value, json};

use super::{berlin, corpus, folder, year};
use crate::{Limits, Occurrence, occurrences, read};

/// Of one file: enough to see that it goes on, and little enough to review.
const OCCURRENCES_MAX: usize = 40;

#[test]
fn files_are_read_as_they_were_reviewed() {
    let files = corpus();
    assert!(files.len() >= 60, "{} files", files.len());
    let stale: Vec<_> =
        files.iter().filter(|(name, bytes)| is_stale(name, bytes)).map(|(name, _)| name).collect();
    assert!(stale.is_empty(), "stale: {stale:?}; UPDATE=1 cargo test -p llmbasedos-calendar, and review");
}

#[test]
fn no_expectation_is_left_over() {
    let names: Vec<_> = corpus().into_iter().map(|(name, _)| format!("{name}.json")).collect();
    let golden = std::fs::read_dir(folder().join("golden")).expect("they are there");
    let left = golden.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
    let left: Vec<_> = left.filter(|name| !names.contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Compares with the file; with `UPDATE=1` it is made so.
fn is_stale(name: &str, bytes: &[u8]) -> bool {
    let path = folder().join("golden").join(format!("{name}.json"));
    let now = format!("{:#}\n", found(bytes));
    let stale = std::fs::read_to_string(&path).unwrap_or_default() != now;
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, and this crate knows no settings")]
    let update = std::env::var_os("UPDATE").is_some();
    if stale && update {
        std::fs::write(&path, now).expect("the folder is there");
    }
    stale && !update
}

fn found(bytes: &[u8]) -> Value {
    let limits = Limits { occurrences: OCCURRENCES_MAX, ..Limits::default() };
    let calendar = match read(bytes, &limits) {
        Ok(calendar) => calendar,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let found = occurrences(&calendar, &year(), &berlin(), &limits);
    let mut value = json!({
        "calendar": calendar,
        "occurrences": found.list.iter().map(line).collect::<Vec<_>>(),
    });
    if let Some(cut) = found.cut {
        value["cut"] = cut.into();
    }
    value
}

/// An occurrence on one line.
fn line(occurrence: &Occurrence) -> String {
    let Occurrence { component, start, end, recurrence_id, overridden, cancelled, .. } = occurrence;
    let id = recurrence_id.as_ref().map(|id| format!(" of {}", id.iso())).unwrap_or_default();
    let overridden = if *overridden { " overridden" } else { "" };
    let cancelled = if *cancelled { " cancelled" } else { "" };
    format!("{} / {} component {component}{id}{overridden}{cancelled}", start.iso(), end.iso())
}
