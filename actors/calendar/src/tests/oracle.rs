//! The same files through icalendar and recurring-ical-events, which are other people's and in Python.
//!
//! Where they differ from us, `tests/oracle/differences.txt` says why, one line a file; a difference without a reason
//! fails, and so does a reason without a difference.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::{berlin, corpus, folder, year};
use crate::{Limits, Occurrence, When, occurrences, read};

#[test]
fn differences_from_others_are_the_ones_that_are_explained() {
    let (asked, explained) = (ask(), explained());
    let mut wrong = Vec::new();
    for (name, bytes) in corpus() {
        let (ours, theirs) = (ours(&bytes), &asked[&name]);
        match (ours == *theirs, explained.contains_key(&name)) {
            (false, false) => wrong.push(format!("{name}\n  ours   {ours}\n  theirs {theirs}")),
            (true, true) => wrong.push(format!("{name} is explained, but there is no difference")),
            _ => {}
        }
    }
    let unknown = explained.keys().filter(|name| asked.get(name.as_str()).is_none());
    wrong.extend(unknown.map(|name| format!("{name} is explained, but there is no such file")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What they say.
fn ask() -> Value {
    let oracle = folder().join("oracle");
    let installed = output(Command::new(oracle.join("install")));
    let mut python = Command::new(format!("{}/bin/python", installed.trim()));
    python.arg(oracle.join("ask.py")).arg(folder().join("ics")).arg("2026");
    serde_json::from_str(&output(python)).expect("JSON")
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("bash and python3 are there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

/// What we say, in their form: starts and ends, without the order.
fn ours(bytes: &[u8]) -> Value {
    let calendar = read(bytes, &Limits::default()).expect("a calendar");
    let found = occurrences(&calendar, &year(), &berlin(), &Limits::default());
    let mut pairs: Vec<[String; 2]> =
        found.list.iter().map(|Occurrence { start, end, .. }| [told(start), told(end)]).collect();
    pairs.sort();
    serde_json::json!(pairs)
}

/// As an instant, where it has a zone.
fn told(when: &When) -> String {
    match when {
        When::Zoned { instant, .. } => instant.to_string(),
        other => other.iso(),
    }
}

/// Files that are read otherwise, and why.
fn explained() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("oracle/differences.txt")).expect("the table is there");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let split = lines.map(|line| line.split_once(": ").expect("NAME: WHY"));
    split.map(|(name, why)| (name.to_owned(), why.to_owned())).collect()
}
