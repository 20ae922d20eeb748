//! A zone that a file brings along (VTIMEZONE, RFC 5545 section 3.6.5) and that has no name elsewhere.
//!
//! Its observances are expanded once, into the list of instants at which the offset changes.

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarProperty, ICalendarValue};
use jiff::civil::{DateTime, date};

use crate::problem::Problems;
use crate::property::Property;
use crate::rule::Rule;
use crate::steps::Steps;
use crate::tree::Node;
use crate::when::{self, When};
use crate::zone::seconds;

/// Rules of zones are expanded until this year; after it, the last offset stays. Outlook's begin in 1601.
const YEAR_MAX: i16 = 2200;

/// Changes that one observance may bring: two a year since 1601.
const ONSETS_MAX: usize = 1_200;

/// What expanding one zone may take: its rules are yearly ones.
const STEPS_MAX: u64 = 2_000_000;

/// Offsets in seconds, and when they change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Homemade {
    pub(crate) tzid: String,
    /// What holds before the first change.
    before: i32,
    /// In the order of time: since when, in seconds since 1970, and what holds from then on.
    changes: Vec<(i64, i32)>,
}

impl Homemade {
    /// Reads a VTIMEZONE; none where no observance of it can be used.
    pub(crate) fn read(tzid: &str, zone: &Node, problems: &mut Problems) -> Option<Self> {
        let mut steps = Steps::new(STEPS_MAX);
        let mut changes = Vec::new();
        for node in zone.children.iter().filter(|node| matches!(node.kind.as_str(), "STANDARD" | "DAYLIGHT"))
        {
            match observance(node, &mut steps) {
                Ok(onsets) => changes.extend(onsets),
                Err(what) => problems.at(node.line, format!("{} of the zone {tzid:?}: {what}", node.kind)),
            }
        }
        changes.sort_unstable();
        let before = changes.first()?.1;
        let changes = changes.into_iter().map(|(at, _, after)| (at, after)).collect();
        Some(Self { tzid: tzid.to_owned(), before, changes })
    }

    pub(crate) fn offset_at(&self, instant: i64) -> i32 {
        let passed = self.changes.partition_point(|(at, _)| *at <= instant);
        if passed == 0 { self.before } else { self.changes[passed - 1].1 }
    }

    /// For a local time, in seconds as if it were UTC. A change counts from where clocks show only times after it: so
    /// a time that does not exist, or exists twice, has the offset from before.
    pub(crate) fn offset_of_local(&self, local: i64) -> i32 {
        // No change is further than a day from the local time it is at.
        let begin = self.changes.partition_point(|(at, _)| *at < local.saturating_sub(86_400));
        let end = self.changes.partition_point(|(at, _)| *at <= local.saturating_add(86_400));
        let mut offset = if begin == 0 { self.before } else { self.changes[begin - 1].1 };
        for (at, after) in &self.changes[begin..end] {
            if local >= at.saturating_add(i64::from(offset.max(*after))) {
                offset = *after;
            }
        }
        offset
    }
}

/// When the observance begins to hold, each time: the instant, the offset before, and the one after.
fn observance(node: &Node, steps: &mut Steps) -> Result<Vec<(i64, i32, i32)>, String> {
    let find = |name: &ICalendarProperty| node.properties.iter().find(|property| property.name() == name);
    let offset = |name: &ICalendarProperty, called: &str| {
        find(name).and_then(seconds_of).ok_or_else(|| format!("{called} is missing or wrong"))
    };
    let from = offset(&ICalendarProperty::Tzoffsetfrom, "TZOFFSETFROM")?;
    let to = offset(&ICalendarProperty::Tzoffsetto, "TZOFFSETTO")?;
    let starts = find(&ICalendarProperty::Dtstart).map(locals).unwrap_or_default();
    let start = *starts.first().ok_or("DTSTART is missing or wrong")?;
    let mut onsets = vec![start];
    for property in &node.properties {
        match property.name() {
            ICalendarProperty::Rdate => onsets.extend(locals(property)),
            ICalendarProperty::Rrule => {
                let rule = Rule::read(property.written())?;
                let end = date(YEAR_MAX, 1, 1).at(0, 0, 0, 0);
                let until = |local: DateTime| match rule.until() {
                    Some(When::Utc(until)) => seconds(local) - i64::from(from) <= until.as_second(),
                    Some(until) => local <= until.written(),
                    None => true,
                };
                let (locals, _) = rule.locals(start, start..end, &until, ONSETS_MAX, steps);
                onsets.extend(locals);
            }
            _ => {}
        }
    }
    onsets.truncate(ONSETS_MAX);
    Ok(onsets.into_iter().map(|onset| (seconds(onset) - i64::from(from), from, to)).collect())
}

/// The property's times, as a clock shows them.
fn locals(property: &Property) -> Vec<DateTime> {
    let times = property.values().iter().filter_map(ICalendarValue::as_partial_date_time);
    times.filter_map(|time| when::local(time).ok()).collect()
}

/// An offset from UTC, in seconds: at most a day, and never more than jiff has (25:59:59).
fn seconds_of(property: &Property) -> Option<i32> {
    let PartialDateTime { tz_hour, tz_minute, tz_minus, .. } =
        property.values().first()?.as_partial_date_time()?;
    let (hours, minutes) = (i32::from((*tz_hour)?), i32::from(tz_minute.unwrap_or(0)));
    let seconds = hours * 3600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if *tz_minus { -seconds } else { seconds })
}
