//! Times as calendars have them: a day, a time without a zone, an instant, a time in a zone.
//!
//! They are kept as they were written, since "every Monday at nine" is about clocks and not about instants, and told
//! as ISO 8601 has them, with the offset from UTC and the zone's name beside it.

use calcard::common::PartialDateTime;
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::zone::Zone;

/// When something is.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// A whole day, wherever one is.
    Date(Date),
    /// What the clock shows, wherever one is ("floating", RFC 5545 section 3.3.5).
    Floating(DateTime),
    /// An instant.
    Utc(Timestamp),
    /// What the clock shows in a zone.
    Zoned {
        /// As it was written: such a time need not exist in the zone, or may exist twice.
        local: DateTime,
        /// The instant that is meant.
        instant: Timestamp,
        /// Where.
        zone: Zone,
    },
}

impl When {
    /// What the clock shows in a zone.
    pub fn zoned(local: DateTime, zone: &Zone) -> Self {
        Self::Zoned { local, instant: zone.instant(local), zone: zone.clone() }
    }

    /// The instant, with `floating` as the zone of what has none. A day is where it begins.
    pub fn instant(&self, floating: &Zone) -> Timestamp {
        match self {
            Self::Date(date) => floating.instant(date.to_datetime(Time::midnight())),
            Self::Floating(local) => floating.instant(*local),
            Self::Utc(instant) | Self::Zoned { instant, .. } => *instant,
        }
    }

    /// Whether it is a whole day.
    pub fn is_date(&self) -> bool {
        matches!(self, Self::Date(_))
    }

    /// What was written, without its zone; of a day, its midnight.
    pub(crate) fn written(&self) -> DateTime {
        match self {
            Self::Date(date) => date.to_datetime(Time::midnight()),
            Self::Floating(local) | Self::Zoned { local, .. } => *local,
            Self::Utc(instant) => Zone::UTC.local(*instant),
        }
    }

    /// So much later: days and weeks by the calendar, hours and less by the clock's hand (RFC 5545 section 3.3.6). At
    /// the ends of time, itself.
    pub(crate) fn plus(&self, span: Span) -> Self {
        let (days, exact) = split(span);
        let later = |local: DateTime| local.checked_add(days).unwrap_or(local);
        match self {
            Self::Date(date) => {
                // An hour is nothing to a day, but a day may be written as 24 of them.
                let whole = exact.as_hours() / 24;
                let date = later(date.to_datetime(Time::midnight())).date();
                Self::Date(date.checked_add(whole.days()).unwrap_or(date))
            }
            Self::Floating(local) => {
                let local = later(*local);
                Self::Floating(local.checked_add(exact).unwrap_or(local))
            }
            Self::Utc(instant) => {
                let instant = Zone::UTC.instant(later(Zone::UTC.local(*instant)));
                Self::Utc(instant.checked_add(exact).unwrap_or(instant))
            }
            Self::Zoned { local, zone, instant } => {
                let instant = if days.is_zero() { *instant } else { zone.instant(later(*local)) };
                if exact.is_zero() {
                    return Self::Zoned { local: later(*local), instant, zone: zone.clone() };
                }
                let instant = instant.checked_add(exact).unwrap_or(instant);
                Self::Zoned { local: zone.local(instant), instant, zone: zone.clone() }
            }
        }
    }

    /// As ISO 8601 has it: a day alone, a time without an offset where it has none.
    pub fn iso(&self) -> String {
        match self {
            Self::Date(date) => date.to_string(),
            Self::Floating(local) => local.to_string(),
            Self::Utc(instant) => instant.to_string(),
            Self::Zoned { instant, zone, .. } => {
                instant.display_with_offset(zone.offset(*instant)).to_string()
            }
        }
    }
}

/// `{"at": "2026-11-25T10:00:00+01:00", "zone": "Europe/Berlin"}`; `zone` only where there is one, and `tzid` in its
/// place for a zone that has no name but in its file.
impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let zone = match self {
            Self::Date(_) | Self::Floating(_) => None,
            Self::Utc(_) => Some(("zone", "UTC")),
            Self::Zoned { zone, .. } => Some((zone.iana().map_or("tzid", |_| "zone"), zone.name())),
        };
        let mut fields = serializer.serialize_struct("When", 1 + usize::from(zone.is_some()))?;
        fields.serialize_field("at", &self.iso())?;
        if let Some((field, name)) = zone {
            fields.serialize_field(field, name)?;
        }
        fields.end()
    }
}

/// From when to when; the end is not part of it. A point in time has no end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Period {
    /// Where it begins.
    pub start: When,
    /// Where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<When>,
}

/// The part of it that is days by the calendar, and the part that is time by the clock.
pub(crate) fn split(span: Span) -> (Span, SignedDuration) {
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let seconds = i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
    (Span::new().try_days(days).unwrap_or_default(), SignedDuration::from_secs(seconds))
}

/// What the clock shows, of a day its midnight; or why no clock does.
pub(crate) fn local(written: &PartialDateTime) -> Result<DateTime, String> {
    let date = date(written)?;
    let (hour, minute) = (written.hour.unwrap_or(0), written.minute.unwrap_or(0));
    // The sixtieth is a leap second, which no calendar counts.
    let second = written.second.map_or(0, |second| if second == 60 { 59 } else { second });
    match Time::new(small(hour), small(minute), small(second), 0) {
        Ok(time) => Ok(date.to_datetime(time)),
        Err(_) => Err(format!("{hour:02}:{minute:02}:{second:02} is no time of day")),
    }
}

/// The day; or why there is none.
pub(crate) fn date(written: &PartialDateTime) -> Result<Date, String> {
    let (year, month, day) =
        (written.year.unwrap_or(0), written.month.unwrap_or(0), written.day.unwrap_or(0));
    let number = i16::try_from(year).unwrap_or(i16::MAX);
    Date::new(number, small(month), small(day))
        .map_err(|_| format!("{year:04}-{month:02}-{day:02} is no day of the calendar"))
}

fn small(number: u8) -> i8 {
    i8::try_from(number).unwrap_or(i8::MAX)
}
