//! What a series keeps its times by: days, or the clock of one zone.
//!
//! Rules are about what that clock shows; what is compared (an exception with an occurrence, an occurrence with the
//! end of its rule) are instants, or days. Also how long an occurrence takes.

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};

use crate::component::{Component, Kind};
use crate::when::When;
use crate::zone::{Zone, seconds};

/// The clock of a series, by its start.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    start: When,
    /// Of what has none.
    floating: Zone,
}

impl Clock {
    pub(crate) fn new(start: &When, floating: &Zone) -> Self {
        Self { start: start.clone(), floating: floating.clone() }
    }

    fn zone(&self) -> &Zone {
        match &self.start {
            When::Date(_) | When::Floating(_) => &self.floating,
            When::Utc(_) => &Zone::UTC,
            When::Zoned { zone, .. } => zone,
        }
    }

    /// What the clock shows, as a time of the same form as the start.
    pub(crate) fn when(&self, local: DateTime) -> When {
        match &self.start {
            When::Date(_) => When::Date(local.date()),
            When::Floating(_) => When::Floating(local),
            When::Utc(_) => When::Utc(Zone::UTC.instant(local)),
            When::Zoned { zone, .. } => When::zoned(local, zone),
        }
    }

    /// What the clock shows at an instant.
    pub(crate) fn at(&self, instant: Timestamp) -> DateTime {
        self.zone().local(instant)
    }

    /// What the clock shows then; for a series of days, the day as it was written.
    pub(crate) fn local(&self, when: &When) -> DateTime {
        match (when, &self.start) {
            (_, When::Date(_)) => when.written().date().to_datetime(Time::midnight()),
            (When::Date(_) | When::Floating(_), _) => when.written(),
            (When::Zoned { local, zone, .. }, _) if zone == self.zone() => *local,
            _ => self.at(when.instant(&self.floating)),
        }
    }

    /// The instant that is meant; of a day, where it begins.
    pub(crate) fn instant(&self, local: DateTime) -> Timestamp {
        self.zone().instant(local)
    }

    /// What two times have in common that mean the same occurrence: the instant in seconds, or the day.
    pub(crate) fn key(&self, local: DateTime) -> i64 {
        match &self.start {
            When::Date(_) => seconds(local.date().to_datetime(Time::midnight())),
            _ => self.instant(local).as_second(),
        }
    }

    /// Whether a time is not after the end of its rule, which may be a day, an instant, or what the clock shows.
    pub(crate) fn is_until(&self, local: DateTime, until: &When) -> bool {
        match (until, &self.start) {
            (When::Date(_), _) | (_, When::Date(_)) => local.date() <= until.written().date(),
            (When::Utc(until), _) => self.instant(local) <= *until,
            _ => local <= until.written(),
        }
    }
}

/// How long an occurrence takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// By the calendar and the clock's hand (DURATION, or days).
    Span(Span),
    /// The same time for each, even where clocks change (DTEND, section 3.8.5.3).
    Exact(SignedDuration),
}

impl Length {
    pub(crate) fn of(component: &Component, start: &When, floating: &Zone) -> Self {
        let end = if component.kind == Kind::Todo { &component.due } else { &component.end };
        match (end, component.duration, start) {
            (Some(When::Date(end)), _, When::Date(start)) => {
                let days = start.until(*end).map_or(0, |span| span.get_days());
                // A day that ends when it begins is meant to be a day.
                Self::Span(days.max(1).days())
            }
            // Where there is no zone there is no change of clocks.
            (Some(When::Floating(end)), _, When::Floating(start)) => Self::Exact(end.duration_since(*start)),
            (Some(end), _, _) => Self::Exact(end.instant(floating).duration_since(start.instant(floating))),
            (None, Some(duration), _) => Self::Span(duration),
            (None, None, When::Date(_)) => Self::Span(1.day()),
            (None, None, _) => Self::Span(Span::new()),
        }
    }

    /// When what begins then ends.
    pub(crate) fn end(self, start: &When) -> When {
        match self {
            Self::Span(span) => start.plus(span),
            Self::Exact(exact) => start.plus(Span::new().try_seconds(exact.as_secs()).unwrap_or_default()),
        }
    }

    /// How long it is at most, wherever clocks change.
    pub(crate) fn max(self) -> SignedDuration {
        match self {
            Self::Span(span) => {
                let (days, exact) = crate::when::split(span);
                // Clocks change by two hours at most; once the date of a place did, by a day.
                let hours = if days.is_zero() { 0 } else { i64::from(days.get_days()) * 24 + 26 };
                exact.saturating_add(SignedDuration::from_hours(hours))
            }
            Self::Exact(exact) => exact,
        }
        .max(SignedDuration::ZERO)
    }
}
