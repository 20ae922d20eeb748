//! What is no calendar, and how much of one is read.

use super::{berlin, starts, year};
use crate::{Limits, NotACalendar, occurrences, read};

#[test]
fn what_is_no_calendar_is_told_with_its_line() {
    let error = |bytes: &[u8]| read(bytes, &Limits::default()).expect_err("no calendar").to_string();
    assert!(error(b"").starts_with("the file is empty"));
    assert!(
        error(b"\n\nBEGIN:VCARD\nEND:VCARD\n")
            .starts_with("line 3: \"BEGIN:VCARD\" does not begin a calendar")
    );
    assert!(error(b"{\"a\": 1}").starts_with("line 1: \"{\\\"a\\\": 1}\""));
    let limits = Limits { bytes: 10, ..Limits::default() };
    let error = read(b"BEGIN:VCALENDAR", &limits).expect_err("too large");
    assert_eq!(error, NotACalendar::TooLarge { bytes: 15, bytes_max: 10 });
}

#[test]
fn what_is_too_much_is_left_out_and_told() {
    let event =
        |n: usize| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20260101T0000{:02}Z\nBAD\nEND:VEVENT\n", n % 60);
    let file = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", (0..30).map(event).collect::<String>());
    let limits = Limits { components: 20, problems: 5, occurrences: 7, ..Limits::default() };
    let calendar = read(file.as_bytes(), &limits).expect("a calendar");
    assert_eq!((calendar.components.len(), calendar.problems.len()), (20, 6));
    assert_eq!(calendar.problems[5].what, "and 26 more problems");
    let found = occurrences(&calendar, &year(), &berlin(), &limits);
    assert_eq!(found.cut.as_deref(), Some("more than 7 occurrences; these are the first"));
    let starts: Vec<_> = found.list.iter().map(|occurrence| occurrence.component).collect();
    assert_eq!(starts, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn many_rules_share_one_bound() {
    let event = |n: usize| {
        format!(
            "BEGIN:VEVENT\nUID:{n}\nDTSTART:20000101T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n"
        )
    };
    let file = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", (0..2_000).map(event).collect::<String>());
    let calendar = read(file.as_bytes(), &Limits::default()).expect("a calendar");
    let begun = std::time::Instant::now();
    let found = occurrences(&calendar, &year(), &berlin(), &Limits::default());
    assert!(found.cut.is_some());
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn components_within_one_another_are_bounded() {
    let file = "BEGIN:VCALENDAR\n".to_owned() + &"BEGIN:X-A\n".repeat(100_000) + "BEGIN:VEVENT\nEND:VEVENT\n";
    let calendar = read(file.as_bytes(), &Limits::default()).expect("a calendar");
    assert!(calendar.components.is_empty() && calendar.problems.len() < 20);
}

#[test]
fn nothing_ends_before_it_begins() {
    // An occurrence that does not say when it begins is where it would have been.
    let (found, cut) = starts("RECURRENCE-ID:20260301T080000Z|DTEND:16010101T000000Z", year());
    assert_eq!((found, cut), (vec!["2026-03-01T08:00:00Z".to_owned()], None));
}
