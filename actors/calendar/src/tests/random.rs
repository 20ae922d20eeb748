//! Whatever the bytes: an answer or an error, within the limits, and never a panic.

use proptest::prelude::*;

use super::{berlin, corpus, instant};
use crate::{Limits, occurrences, read};

/// Small enough that a thousand files take seconds.
const LIMITS: Limits =
    Limits { bytes: 1 << 20, components: 50, problems: 10, occurrences: 30, steps: 200_000 };

fn check(bytes: &[u8]) {
    let Ok(calendar) = read(bytes, &LIMITS) else { return };
    assert!(calendar.components.len() <= LIMITS.components && calendar.problems.len() <= LIMITS.problems + 1);
    for window in
        ["2026-01-01T00:00:00Z/2027-01-01T00:00:00Z", "-009999-02-01T00:00:00Z/9999-12-01T00:00:00Z"]
    {
        let (start, end) = window.split_once('/').expect("two");
        let window = instant(start)..instant(end);
        let found = occurrences(&calendar, &window, &berlin(), &LIMITS);
        assert!(found.list.len() <= LIMITS.occurrences);
        assert!(found.list.is_sorted_by_key(|one| one.starts_at));
        for one in &found.list {
            assert!(one.starts_at < window.end && one.ends_at >= window.start, "{one:?}");
            assert!(one.component < calendar.components.len());
        }
        serde_json::to_string(&found).expect("JSON");
    }
    serde_json::to_string(&calendar).expect("JSON");
}

/// A change that keeps most of a file.
fn mutated(mut bytes: Vec<u8>, changes: &[(usize, u8, Vec<u8>)]) -> Vec<u8> {
    for (place, kind, text) in changes {
        let at = place % (bytes.len() + 1);
        let end = (at + text.len()).min(bytes.len());
        match kind % 4 {
            0 => drop(bytes.splice(at..at, text.iter().copied())),
            1 => drop(bytes.splice(at..end, text.iter().copied())),
            2 => drop(bytes.drain(at..end)),
            _ => bytes.truncate(at.max(40)),
        }
    }
    bytes
}

/// Pieces that files are broken with.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\r\n",
        "\n ",
        "BEGIN:VEVENT\n",
        "END:VEVENT\n",
        "END:VCALENDAR\n",
        ";TZID=x",
        "9",
        "99999999999",
        "-",
        "T",
        "Z",
        "\nRRULE:FREQ=MINUTELY;BYHOUR=1\n",
        "\nEXDATE:20260301T080000Z\n",
        "\nDURATION:-P99999W\n",
        "\"",
        ":",
        ",",
        "\nDTSTART:99991231T235959Z\n",
        "\nDTSTART;TZID=Pacific/Apia:00010101T000000\n",
        "\nRRULE:FREQ=YEARLY;BYWEEKNO=53\n",
        "\nRECURRENCE-ID;RANGE=THISANDFUTURE:99990101T000000Z\n",
        "\nDURATION:P9999999999D\n",
        ";COUNT=4294967295",
        ";INTERVAL=65535",
        ";UNTIL=99991231",
        "\nRDATE;VALUE=PERIOD:00010101T000000Z/P1000000W\n",
    ];
    prop_oneof![
        proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn any_lines_within_an_event(lines in "[A-Z]{3,8}[;:=,A-Z0-9\"\\\\\n -]{0,200}") {
        check(format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR").as_bytes());
    }

    #[test]
    fn files_with_changes(
        file in proptest::sample::select(corpus()),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), piece()), 1..8),
    ) {
        check(&mutated(file.1, &changes));
    }
}
