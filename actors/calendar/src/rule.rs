//! A recurrence rule (RFC 5545 section 3.3.10), and the local times it gives.
//!
//! rrule expands those of days and more, in local time as the RFC has it: zones come in afterwards, and so does UNTIL,
//! which is an instant. What is here is around that: old rules are begun near the window instead of at their start,
//! and what a rule may cost is bounded, since "every second from 1900 on" is a rule too. `finer.rs` has the rest.

use std::ops::{ControlFlow, Range};
use std::str::FromStr as _;

use calcard::common::PartialDateTime;
use jiff::civil::DateTime;
use rrule::{Frequency, NWeekday, RRule, RRuleError, RRuleSet, Tz, Unvalidated};
use serde::{Serialize, Serializer};

use crate::finer::Finer;
use crate::problem::beginning;
use crate::steps::Steps;
use crate::taking::{Ended, Taking};
use crate::when::{self, When};
use crate::zone::{Zone, seconds};

/// A rule of all parts with all their values is shorter.
const TEXT_MAX: usize = 2_000;

/// Times that a rule may have in one of its intervals; they are made at once. Every second of a day is allowed.
const TIMES_MAX: usize = 100_000;

/// Four hundred years, after which the calendar repeats to the day of the week.
const CYCLE_SECONDS: i64 = 146_097 * DAY_SECONDS;
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// A recurrence rule that can be expanded. Serialised as its text.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    parts: RRule<Unvalidated>,
    finer: Option<Finer>,
    until: Option<When>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Rule {
    /// Reads a rule; or says what of it cannot be followed.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("a rule of more than {TEXT_MAX} bytes"));
        }
        // rrule cuts days of the week between bytes, and panics within a letter.
        if !text.is_ascii() {
            return Err(format!("{:?} has letters that no rule has", beginning(text)));
        }
        let (mut kept, mut until) = (Vec::new(), None);
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) =
                part.split_once('=').ok_or_else(|| format!("{:?} has no value", beginning(part)))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            match (name.as_str(), value.as_str()) {
                ("UNTIL", _) => until = Some(read_until(&value)?),
                ("COUNT" | "INTERVAL", number) if number.bytes().all(|digit| digit == b'0') => {
                    return Err(format!("{name}={value}, which gives nothing"));
                }
                // The first is what some programs write for no COUNT; the others are what holds without them.
                ("COUNT", "-1") | ("RSCALE", "GREGORIAN") | ("SKIP", "OMIT") => {}
                ("RSCALE" | "SKIP", _) => {
                    return Err(format!("{name}={} is not supported", beginning(&value)));
                }
                (name, _) if name.starts_with("X-") => {}
                ("BYDAY", days) if !days.split(',').all(|day| is_day(day.trim())) => {
                    return Err(format!("BYDAY={} names no days of the week", beginning(days)));
                }
                _ => kept.push(format!("{name}={}", value.replace([' ', '\t'], ""))),
            }
        }
        let parts = RRule::from_str(&kept.join(";")).map_err(|error| said(&error))?;
        check(&parts)?;
        let finer = Finer::of(&parts, &kept)?;
        Ok(Self { text: text.to_owned(), parts, finer, until })
    }

    /// As it is written in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its end, which is part of it; not applied by [`Rule::locals`].
    pub(crate) fn until(&self) -> Option<&When> {
        self.until.as_ref()
    }

    /// The local times within the window that are wanted, in order, at most `max`; the start is always one of them
    /// (section 3.8.5.3). And whether there are more that were not looked for.
    pub(crate) fn locals(
        &self,
        start: DateTime,
        window: Range<DateTime>,
        wanted: &dyn Fn(DateTime) -> bool,
        max: usize,
        steps: &mut Steps,
    ) -> (Vec<DateTime>, bool) {
        let skipped = self.skipped(start, window.start);
        let left = self.parts.get_count().map(|count| u64::from(count).saturating_sub(skipped.times));
        let window = seconds(window.start)..seconds(window.end);
        let mut taking = Taking::new(window, wanted, max, left);
        // The start counts, whether the rule gives it or not.
        let mut ended =
            if skipped.seconds == 0 { taking.take(seconds(start)) } else { ControlFlow::Continue(()) };
        if left == Some(0) {
            ended = ControlFlow::Break(Ended::All);
        }
        if ended.is_continue() {
            ended = match &self.finer {
                Some(finer) => finer.each(seconds(start), skipped.seconds, &mut taking, steps),
                None => self.each(seconds(start) + skipped.seconds, &mut taking, steps),
            };
        }
        let more = ended == ControlFlow::Break(Ended::Early) || ended.is_continue();
        (taking.finish(), more)
    }

    /// Gives what rrule gives from a time on, until enough is taken or rrule gives up.
    fn each(&self, first: i64, taking: &mut Taking<'_>, steps: &mut Steps) -> ControlFlow<Ended> {
        let Some(set) = self.set(first) else { return ControlFlow::Break(Ended::All) };
        let mut before = first;
        for local in &set {
            let at = local.timestamp();
            if !steps.take(self.cost(at - before)) {
                return ControlFlow::Break(Ended::Early);
            }
            before = at;
            taking.take(at)?;
        }
        steps.take(self.cost(seconds(DateTime::MAX) - before));
        ControlFlow::Continue(())
    }

    /// What rrule expands, from a time on.
    fn set(&self, first: i64) -> Option<RRuleSet> {
        let first = chrono::DateTime::from_timestamp(first, 0)?.with_timezone(&Tz::UTC);
        // One more than its count: the start need not be one that the rule gives. The caller counts.
        let parts = match self.parts.get_count() {
            Some(count) => self.parts.clone().count(count.saturating_add(1)),
            None => self.parts.clone(),
        };
        Some(RRuleSet::new(first).rrule(parts.validate(first).ok()?).limit())
    }

    /// How much of an old rule lies before the window and can be passed over, because it repeats itself.
    fn skipped(&self, start: DateTime, window_start: DateTime) -> Skipped {
        let (interval, plain) = (i64::from(self.parts.get_interval()), is_plain(&self.parts));
        let counts = self.parts.get_count().is_some();
        let period = match self.parts.get_freq() {
            // The part that is finer than a day begins anywhere.
            _ if self.finer.is_some() && !counts => {
                return Skipped { seconds: (seconds(window_start) - seconds(start)).max(0), times: 0 };
            }
            Frequency::Yearly => (400 % interval == 0).then_some(CYCLE_SECONDS),
            Frequency::Monthly => (4_800 % interval == 0).then_some(CYCLE_SECONDS),
            _ => Some(unit_seconds(&self.parts) * interval),
        };
        let cyclic = matches!(self.parts.get_freq(), Frequency::Yearly | Frequency::Monthly);
        let Some(period) = period.filter(|_| !counts || (plain && !cyclic)) else {
            return Skipped { seconds: 0, times: 0 };
        };
        let periods = (seconds(window_start) - seconds(start)).max(0) / period;
        Skipped { seconds: periods * period, times: u64::try_from(periods).unwrap_or(0) }
    }

    /// Days that were looked at to find the next time, so many seconds after the one before.
    fn cost(&self, elapsed: i64) -> u64 {
        let days = elapsed / DAY_SECONDS / i64::from(self.parts.get_interval());
        u64::try_from(days).unwrap_or(0) + 1
    }
}

/// What lies before the window.
struct Skipped {
    seconds: i64,
    times: u64,
}

/// Whether it is a day of the week with or without a number; rrule passes over numbers that it cannot read.
fn is_day(text: &str) -> bool {
    let (number, day) = text.split_at(text.len().saturating_sub(2));
    let number = number.strip_prefix(['+', '-']).unwrap_or(number);
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].contains(&day)
        && number.len() <= 2
        && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// UNTIL: a day, a local time, or an instant.
fn read_until(text: &str) -> Result<When, String> {
    let mut written = PartialDateTime::default();
    if !written.parse_timestamp(&mut text.as_bytes().iter().peekable(), false) {
        return Err(format!("UNTIL={} is no date or time", beginning(text)));
    }
    let local = when::local(&written).map_err(|what| format!("UNTIL: {what}"))?;
    Ok(match (written.has_time(), written.has_zone()) {
        (false, _) => When::Date(local.date()),
        (true, false) => When::Floating(local),
        (true, true) => When::Utc(Zone::UTC.instant(local)),
    })
}

/// What rrule takes but the RFC does not, and what would cost too much.
fn check(parts: &RRule<Unvalidated>) -> Result<(), String> {
    let anywhere = chrono::DateTime::UNIX_EPOCH.with_timezone(&Tz::UTC);
    parts.clone().validate(anywhere).map_err(|error| said(&error))?;
    let numbered = parts.get_by_weekday().iter().any(|day| matches!(day, NWeekday::Nth(..)));
    if numbered && !matches!(parts.get_freq(), Frequency::Monthly | Frequency::Yearly) {
        return Err(format!("BYDAY with numbers in a rule that is {}", parts.get_freq()));
    }
    let days = match parts.get_freq() {
        Frequency::Yearly => 366,
        Frequency::Monthly => 31,
        Frequency::Weekly => 7,
        _ => 1,
    };
    let all = [parts.get_by_hour().len(), parts.get_by_minute().len(), parts.get_by_second().len()];
    let times = all.iter().map(|length| (*length).max(1)).fold(days, usize::saturating_mul);
    if times > TIMES_MAX {
        return Err(format!(
            "it may give {times} times in one interval, and no more than {TIMES_MAX} are made"
        ));
    }
    Ok(())
}

/// What rrule says of a rule, without what it says before that.
fn said(error: &RRuleError) -> String {
    let said = error.to_string();
    let said = said.split_once("error: ").map_or(said.as_str(), |(_, said)| said);
    said.trim_end_matches('.').chars().take(200).collect()
}

/// Whether it gives exactly one time an interval.
fn is_plain(parts: &RRule<Unvalidated>) -> bool {
    parts.get_by_set_pos().is_empty()
        && parts.get_by_month().is_empty()
        && parts.get_by_month_day().is_empty()
        && parts.get_by_year_day().is_empty()
        && parts.get_by_week_no().is_empty()
        && parts.get_by_weekday().is_empty()
        && parts.get_by_hour().is_empty()
        && parts.get_by_minute().is_empty()
        && parts.get_by_second().is_empty()
}

pub(crate) fn unit_seconds(parts: &RRule<Unvalidated>) -> i64 {
    match parts.get_freq() {
        Frequency::Secondly => 1,
        Frequency::Minutely => 60,
        Frequency::Hourly => 3_600,
        Frequency::Daily => DAY_SECONDS,
        Frequency::Weekly => 7 * DAY_SECONDS,
        Frequency::Monthly => 30 * DAY_SECONDS,
        Frequency::Yearly => 365 * DAY_SECONDS,
    }
}
