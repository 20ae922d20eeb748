//! No bytes make reading a calendar fail, or asking what happens in it; and both stay within their limits.
#![no_main]

use std::ops::Range;
use std::sync::LazyLock;

use calendar::{Limits, Zone, occurrences, read};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Little enough that an input costs milliseconds.
const LIMITS: Limits =
    Limits { bytes: 1 << 16, components: 50, problems: 10, occurrences: 50, steps: 100_000 };

/// A year, and all of time.
static WINDOWS: LazyLock<[Range<Timestamp>; 2]> = LazyLock::new(|| {
    let instant = |text: &str| text.parse().expect("an instant");
    [instant("2026-01-01T00:00:00Z")..instant("2027-01-01T00:00:00Z"), Timestamp::MIN..Timestamp::MAX]
});

static FLOATING: LazyLock<Zone> = LazyLock::new(|| Zone::named("Europe/Berlin").expect("a zone"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(calendar) = read(bytes, &LIMITS) else { return };
    assert!(calendar.components.len() <= LIMITS.components);
    assert!(calendar.problems.len() <= LIMITS.problems + 1);
    serde_json::to_string(&calendar).expect("JSON");
    for window in WINDOWS.iter() {
        let found = occurrences(&calendar, window, &FLOATING, &LIMITS);
        assert!(found.list.len() <= LIMITS.occurrences);
        assert!(found.list.is_sorted_by_key(|one| one.starts_at));
        for one in &found.list {
            assert!(one.starts_at < window.end && one.ends_at >= window.start, "{one:?}");
        }
        serde_json::to_string(&found).expect("JSON");
    }
});
