//! What callers see: files that are read, what happens when, and what no bytes may do.

mod bounds;
mod golden;
mod lines;
mod oracle;
mod random;
mod rules;
mod zones;

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{Calendar, Limits, Occurrences, Zone, occurrences, read};

/// The files, with what is expected of each in `golden/`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Every file: its name without `.ics`, and its bytes.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder().join("ics")).expect("the files are there");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let named = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".ics")?.to_owned();
        Some((name, std::fs::read(path).expect("a file")))
    };
    let mut files: Vec<_> = paths.filter_map(named).collect();
    files.sort();
    files
}

/// The year that all files are about.
fn year() -> Range<Timestamp> {
    instant("2026-01-01T00:00:00Z")..instant("2027-01-01T00:00:00Z")
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn berlin() -> Zone {
    Zone::named("Europe/Berlin").expect("a zone")
}

/// A calendar of one event with these lines.
fn event(lines: &str) -> Calendar {
    let lines = lines.replace('|', "\n");
    let file = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    read(file.as_bytes(), &Limits::default()).expect("a calendar")
}

/// What of an event happens in a window, by its starts.
fn starts(lines: &str, window: Range<Timestamp>) -> (Vec<String>, Option<String>) {
    let Occurrences { list, cut } = occurrences(&event(lines), &window, &berlin(), &Limits::default());
    (list.iter().map(|occurrence| occurrence.start.iso()).collect(), cut)
}
