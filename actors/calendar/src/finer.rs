//! Rules that are finer than a day: every twenty minutes, from nine to five, on weekdays.
//!
//! rrule finds the days and what is here the times of a day. By itself rrule loses its place in such rules as soon as
//! they leave days or hours out: every ten minutes on Fridays from one to two is nothing to it.

use std::ops::ControlFlow;
use std::str::FromStr as _;

use rrule::{Frequency, RRule, RRuleSet, Tz, Unvalidated};

use crate::rule::{DAY_SECONDS, unit_seconds};
use crate::steps::Steps;
use crate::taking::{Ended, Taking};

/// The times of a rule that is finer than a day.
#[derive(Debug, Clone)]
pub(crate) struct Finer {
    /// Which days it is about.
    days: RRule<Unvalidated>,
    freq: Frequency,
    /// Seconds from one interval to the next.
    interval: i64,
    hours: Vec<u8>,
    minutes: Vec<u8>,
    seconds: Vec<u8>,
    /// Which of an interval's times, counted from 1, or from the last with -1; empty for all.
    positions: Vec<i32>,
}

/// What making a time costs, in steps of looking at one.
const STEPS_OF_TIME: u64 = 20;

/// What says which days: the rest says how often, and at which times of them.
const OF_DAYS: &[&str] = &["BYMONTH=", "BYMONTHDAY=", "BYDAY=", "BYYEARDAY="];

impl Finer {
    /// None for a rule of days or more.
    pub(crate) fn of(parts: &RRule<Unvalidated>, written: &[String]) -> Result<Option<Self>, String> {
        let freq = parts.get_freq();
        if !matches!(freq, Frequency::Hourly | Frequency::Minutely | Frequency::Secondly) {
            return Ok(None);
        }
        // By the day of the year is not a rule of days, by RFC 5545; it gives the same days by years.
        let by_years = !parts.get_by_year_day().is_empty();
        let mut days = vec![if by_years { "FREQ=YEARLY" } else { "FREQ=DAILY" }];
        let of_days = |part: &&str| OF_DAYS.iter().any(|name| part.starts_with(name));
        days.extend(written.iter().map(String::as_str).filter(of_days));
        let days = RRule::from_str(&days.join(";")).map_err(|error| error.to_string())?;
        Ok(Some(Self {
            days,
            freq,
            interval: unit_seconds(parts) * i64::from(parts.get_interval()),
            hours: sorted(parts.get_by_hour()),
            minutes: sorted(parts.get_by_minute()),
            seconds: sorted(parts.get_by_second()),
            positions: parts.get_by_set_pos().to_vec(),
        }))
    }

    /// Gives the times from so many seconds after the start on, until enough are taken.
    pub(crate) fn each(
        &self,
        start: i64,
        skipped: i64,
        taking: &mut Taking<'_>,
        steps: &mut Steps,
    ) -> ControlFlow<Ended> {
        let first = start + skipped;
        let midnight = first - first.rem_euclid(DAY_SECONDS);
        let Some(days) = self.days(midnight) else { return ControlFlow::Break(Ended::All) };
        for day in &days {
            let day = day.timestamp();
            if day >= taking.window.end {
                return ControlFlow::Break(Ended::All);
            }
            self.day(day, start, first, taking, steps)?;
        }
        steps.take(u64::try_from((taking.window.end - midnight) / DAY_SECONDS).unwrap_or(0));
        ControlFlow::Continue(())
    }

    fn days(&self, midnight: i64) -> Option<RRuleSet> {
        let midnight = chrono::DateTime::from_timestamp(midnight, 0)?.with_timezone(&Tz::UTC);
        Some(RRuleSet::new(midnight).rrule(self.days.clone().validate(midnight).ok()?).limit())
    }

    /// The times of one day, which are the intervals that begin in it, each at the minutes and seconds it has.
    fn day(
        &self,
        day: i64,
        start: i64,
        first: i64,
        taking: &mut Taking<'_>,
        steps: &mut Steps,
    ) -> ControlFlow<Ended> {
        let unit = match self.freq {
            Frequency::Hourly => 3_600,
            Frequency::Minutely => 60,
            _ => 1,
        };
        // Intervals are counted from the one that the start is in.
        let origin = start - start.rem_euclid(unit);
        let mut slot = day + (origin - day).rem_euclid(self.interval);
        while slot < day + DAY_SECONDS {
            if !steps.take(1) {
                return ControlFlow::Break(Ended::Early);
            }
            let within = slot - day;
            let (hour, minute, second) = (within / 3_600, within / 60 % 60, within % 60);
            let given = match self.freq {
                Frequency::Hourly => is_in(&self.hours, hour),
                Frequency::Minutely => is_in(&self.hours, hour) && is_in(&self.minutes, minute),
                _ => is_in(&self.hours, hour) && is_in(&self.minutes, minute) && is_in(&self.seconds, second),
            };
            if given {
                if !steps.take(STEPS_OF_TIME) {
                    return ControlFlow::Break(Ended::Early);
                }
                self.slot(slot, unit, start, first, taking)?;
            }
            slot += self.interval;
        }
        ControlFlow::Continue(())
    }

    /// The times within one interval, in order.
    fn slot(
        &self,
        slot: i64,
        unit: i64,
        start: i64,
        first: i64,
        taking: &mut Taking<'_>,
    ) -> ControlFlow<Ended> {
        let of_start = |unit: i64| vec![start.rem_euclid(unit * 60) / unit];
        let or = |numbers: &[u8], otherwise: Vec<i64>| {
            if numbers.is_empty() { otherwise } else { numbers.iter().copied().map(i64::from).collect() }
        };
        let minutes = if unit > 60 { or(&self.minutes, of_start(60)) } else { vec![0] };
        let seconds = if unit > 1 { or(&self.seconds, of_start(1)) } else { vec![0] };
        let of_minute = |minute: i64| seconds.iter().map(move |second| slot + minute * 60 + second);
        let times: Vec<_> = minutes.into_iter().flat_map(of_minute).collect();
        for (index, at) in times.iter().enumerate() {
            if *at >= first && self.is_wanted(index, times.len()) {
                taking.take(*at)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn is_wanted(&self, index: usize, length: usize) -> bool {
        let is_it = |position: &i32| match usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX) {
            back if *position < 0 => index + back == length,
            forth => index + 1 == forth,
        };
        self.positions.is_empty() || self.positions.iter().any(is_it)
    }
}

fn is_in(numbers: &[u8], number: i64) -> bool {
    numbers.is_empty() || numbers.iter().any(|one| i64::from(*one) == number)
}

fn sorted(numbers: &[u8]) -> Vec<u8> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}
