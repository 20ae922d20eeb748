//! The values of properties as times, spans, numbers and words; what cannot be read is a problem with its line.

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarDuration, ICalendarParameterName, ICalendarPeriod, ICalendarValue};
use jiff::Span;

use crate::problem::{Problems, beginning};
use crate::property::Property;
use crate::when::{self, Period, When};
use crate::zone::Zone;
use crate::zones::Zones;

/// What reading a value needs: the zones of the file, and where problems go.
pub(crate) struct Reading<'a> {
    pub(crate) zones: Zones<'a>,
    pub(crate) problems: &'a mut Problems,
}

impl Reading<'_> {
    /// The property's time.
    pub(crate) fn when(&mut self, property: &Property) -> Option<When> {
        let whens = self.whens(property);
        if whens.len() > 1 {
            self.wrong(property, "has several values; the first is used");
        }
        whens.into_iter().next()
    }

    /// The property's times, of which EXDATE may have several.
    pub(crate) fn whens(&mut self, property: &Property) -> Vec<When> {
        let mut whens = Vec::new();
        for value in property.values() {
            whens.extend(value.as_partial_date_time().and_then(|time| self.time(property, time)));
            if value.as_partial_date_time().is_none() {
                let value = beginning(value.as_text().unwrap_or("its value"));
                self.wrong(property, &format!("{value:?} is no date or time; left out"));
            }
        }
        if property.values().is_empty() {
            self.wrong(property, "has no value; left out");
        }
        whens
    }

    /// The property's periods, or its times as periods without an end (RDATE may have either, FREEBUSY has periods).
    pub(crate) fn periods(&mut self, property: &Property) -> Vec<Period> {
        let mut periods = Vec::new();
        for value in property.values() {
            let period = match value {
                ICalendarValue::PartialDateTime(time) => {
                    self.time(property, time).map(|start| Period { start, end: None })
                }
                ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                    let start = self.time(property, start);
                    start.map(|start| Period { start, end: self.time(property, end) })
                }
                ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                    self.time(property, start).map(|start| {
                        let end = span(duration).map(|span| start.plus(span));
                        Period { start, end }
                    })
                }
                other => {
                    let value = beginning(other.as_text().unwrap_or("its value"));
                    self.wrong(property, &format!("{value:?} is no date, time or period; left out"));
                    None
                }
            };
            periods.extend(period);
        }
        periods
    }

    /// The property's duration.
    pub(crate) fn span(&mut self, property: &Property) -> Option<Span> {
        let duration = property.values().iter().find_map(|value| match value {
            ICalendarValue::Duration(duration) => Some(duration),
            _ => None,
        });
        let span = duration.and_then(span);
        if span.is_none() {
            let value = beginning(property.written());
            self.wrong(property, &format!("{value:?} is no duration; left out"));
        }
        span
    }

    /// The property's number, which is not negative.
    pub(crate) fn number(&mut self, property: &Property) -> Option<u32> {
        let number = property.values().first().and_then(ICalendarValue::as_integer);
        let number = number.and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            let value = beginning(property.written());
            self.wrong(property, &format!("{value:?} is no number; left out"));
        }
        number
    }

    /// The property's word, of those that there are.
    pub(crate) fn token<T>(&mut self, property: &Property, read: fn(&str) -> Option<T>) -> Option<T> {
        let token = read(property.text().unwrap_or_default());
        if token.is_none() {
            let value = beginning(property.written());
            self.wrong(property, &format!("{value:?} is not known; left out"));
        }
        token
    }

    /// Something is wrong with the property.
    pub(crate) fn wrong(&mut self, property: &Property, what: &str) {
        self.problems.at(property.line, format!("{}: {what}", beginning(property.called())));
    }

    fn time(&mut self, property: &Property, written: &PartialDateTime) -> Option<When> {
        let local = match when::local(written) {
            Ok(local) => local,
            Err(what) => {
                self.wrong(property, &format!("{what}; left out"));
                return None;
            }
        };
        if !written.has_time() {
            return Some(When::Date(local.date()));
        }
        if written.has_zone() {
            let offset = i64::from(written.tz_hour.unwrap_or(0)) * 3600
                + i64::from(written.tz_minute.unwrap_or(0)) * 60;
            let utc = crate::zone::seconds(local) - if written.tz_minus { -offset } else { offset };
            return Some(When::Utc(Zone::UTC.instant(crate::zone::civil(utc))));
        }
        let tzid = property.parameter(&ICalendarParameterName::Tzid);
        let zone = tzid.and_then(|tzid| self.zones.find(tzid, property.line, self.problems));
        Some(match zone {
            Some(zone) => When::zoned(local, &zone),
            None => When::Floating(local),
        })
    }
}

/// A duration; none where it is beyond all calendars.
fn span(duration: &ICalendarDuration) -> Option<Span> {
    let span = Span::new()
        .try_weeks(duration.weeks)
        .and_then(|span| span.try_days(duration.days))
        .and_then(|span| span.try_hours(duration.hours))
        .and_then(|span| span.try_minutes(duration.minutes))
        .and_then(|span| span.try_seconds(duration.seconds))
        .ok()?;
    Some(if duration.neg { span.negate() } else { span })
}
