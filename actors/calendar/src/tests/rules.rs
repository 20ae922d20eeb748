//! Rules as callers see them: when something happens, and what a rule may cost.

use std::time::{Duration, Instant};

use super::{event, instant, starts, year};

#[track_caller]
fn check(rule: &str, expected: &[&str]) {
    let (found, cut) = starts(rule, year());
    assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), cut), (expected, None));
}

#[test]
fn count_is_of_what_the_rule_gives_before_exceptions() {
    check(
        "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=DAILY;COUNT=3|EXDATE;VALUE=DATE:20260102",
        &["2026-01-01", "2026-01-03"],
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_told_and_not_followed() {
    for rule in [
        "FREQ=WEEKLY;BYDAY=T\u{2122}",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYDAY=M",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=99999MO",
        "FREQ=\u{130}",
        "FREQ",
        "=",
        "",
        "COUNT=1",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;UNTIL=20260231",
        "FREQ=DAILY;COUNT=-2",
        "FREQ=DAILY;INTERVAL=99999",
        "FREQ=DAILY;BYHOUR=24",
    ] {
        let calendar = event(&format!("DTSTART:20260101T080000Z|RRULE:{rule}"));
        let problems: Vec<_> = calendar.problems.iter().map(|problem| problem.line).collect();
        assert_eq!((calendar.components[0].rrule.len(), problems), (0, vec![Some(5)]), "{rule}");
    }
}

#[test]
fn a_count_of_minus_one_is_none() {
    check(
        "DTSTART;VALUE=DATE:20251201|RRULE:FREQ=MONTHLY;INTERVAL=6;COUNT=-1",
        &["2026-06-01", "2026-12-01"],
    );
}

#[test]
fn a_count_that_ran_out_before_the_window_leaves_nothing() {
    check("DTSTART:20000101T000000Z|RRULE:FREQ=DAILY;COUNT=400", &[]);
    check("DTSTART:20000101T000000Z|RRULE:FREQ=MINUTELY;COUNT=400000", &[]);
    // 9,497 days lie between.
    check(
        "DTSTART:20000101T000000Z|RRULE:FREQ=DAILY;COUNT=9499",
        &["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
    );
}

#[test]
fn an_old_rule_keeps_its_step() {
    // Every third week from 2001-01-01, a Monday: 2026-01-05 is 1,305 weeks later.
    let (found, cut) = starts("DTSTART:20010101T090000Z|RRULE:FREQ=WEEKLY;INTERVAL=3", year());
    assert_eq!(
        (found[0].as_str(), found[1].as_str(), cut),
        ("2026-01-05T09:00:00Z", "2026-01-26T09:00:00Z", None)
    );
    // Every seven hours from 1970 on: 2026 begins 490,896 hours later, which is 70,128 times seven.
    let window = instant("2026-01-01T04:00:00Z")..instant("2026-01-01T18:00:00Z");
    let (found, _) = starts("DTSTART:19700101T000000Z|RRULE:FREQ=HOURLY;INTERVAL=7", window);
    assert_eq!(found, ["2026-01-01T07:00:00Z", "2026-01-01T14:00:00Z"]);
    check("DTSTART;VALUE=DATE:16040229|RRULE:FREQ=YEARLY;INTERVAL=2", &[]);
    check("DTSTART;VALUE=DATE:16240705|RRULE:FREQ=YEARLY;INTERVAL=3", &["2026-07-05"]);
}

#[test]
fn the_positions_of_an_interval_finer_than_a_day() {
    let window = instant("2026-03-01T00:00:00Z")..instant("2026-03-01T02:00:00Z");
    let (found, _) =
        starts("DTSTART:20260301T000000Z|RRULE:FREQ=HOURLY;BYMINUTE=0,20,40;BYSETPOS=1,-1", window);
    assert_eq!(
        found,
        ["2026-03-01T00:00:00Z", "2026-03-01T00:40:00Z", "2026-03-01T01:00:00Z", "2026-03-01T01:40:00Z"]
    );
}

#[test]
fn a_rule_costs_little_whatever_it_says() {
    let all = |to: u32| (0..to).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let (hours, minutes) = (all(24), all(60));
    let rules = [
        "FREQ=SECONDLY".to_owned(),
        "FREQ=SECONDLY;COUNT=4000000000".to_owned(),
        "FREQ=SECONDLY;COUNT=4000000000;BYMONTH=2".to_owned(),
        "FREQ=SECONDLY;BYHOUR=0;BYMINUTE=0;BYSECOND=0".to_owned(),
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=DAILY;INTERVAL=65535;BYMONTHDAY=31;BYMONTH=4".to_owned(),
        format!("FREQ=DAILY;BYHOUR={hours};BYMINUTE={minutes};BYSECOND={minutes}"),
        format!(
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={hours};BYMINUTE={minutes};BYSECOND={minutes}"
        ),
        format!("FREQ=MONTHLY;COUNT=4000000000;BYHOUR={hours};BYMINUTE={minutes};BYSETPOS=-1"),
    ];
    for rule in rules {
        let begun = Instant::now();
        let (found, cut) = starts(&format!("DTSTART:19000101T000000Z|RRULE:{rule}"), year());
        assert!(begun.elapsed() < Duration::from_secs(20), "{rule} took {:?}", begun.elapsed());
        assert!(
            cut.is_some() || found.len() < 5_000,
            "{rule} gives {} and does not say that it was cut",
            found.len()
        );
    }
}
