//! Zones by their names, and the times of clocks that change.

use super::{berlin, instant};
use crate::{When, Zone};

#[test]
fn zones_have_many_names() {
    for (name, iana) in [
        ("Europe/Berlin", Some("Europe/Berlin")),
        ("W. Europe Standard Time", Some("Europe/Berlin")),
        ("/mozilla.org/20070129_1/Europe/Paris", Some("Europe/Paris")),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", Some("Europe/Berlin")),
        ("(UTC+03:00) Nowhere", Some("Etc/GMT-3")),
        // Read by its hours it would be half an hour wrong.
        ("(UTC+05:30) Nowhere", None),
        ("Nowhere", None),
        ("", None),
    ] {
        assert_eq!(Zone::named(name).and_then(|zone| zone.iana()), iana, "{name}");
    }
}

#[test]
fn a_time_that_is_not_there_has_the_offset_from_before_and_one_that_is_twice_is_the_first() {
    for (local, at) in [
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
    ] {
        assert_eq!(berlin().instant(local.parse().expect("a time")), instant(at), "{local}");
    }
}

#[test]
fn the_second_of_two_times_that_look_alike_is_told_by_its_offset() {
    let first = When::zoned("2026-10-25T02:30:00".parse().expect("a time"), &berlin());
    let later = first.plus(jiff::Span::new().minutes(60));
    assert_eq!(
        (first.iso(), later.iso()),
        ("2026-10-25T02:30:00+02:00".into(), "2026-10-25T02:30:00+01:00".into())
    );
}

#[test]
fn a_day_that_a_place_left_out_is_read_with_the_offset_from_before() {
    // Samoa had no 30th of December in 2011.
    let apia = Zone::named("Pacific/Apia").expect("a zone");
    let local = "2011-12-30T12:00:00".parse().expect("a time");
    assert_eq!(apia.instant(local), instant("2011-12-30T22:00:00Z"));
}
