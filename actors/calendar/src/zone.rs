//! A time zone: which offset from UTC holds when.
//!
//! Most are of the IANA database, which is compiled in (chrono-tz); a file may also bring one of its own. A local time
//! that does not exist, because clocks went forward over it, is read with the offset from before; one that exists
//! twice is the first of the two (RFC 5545 section 3.3.5).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use calcard::common::timezone::Tz as Named;
use chrono::{Offset as _, TimeZone as _};
use chrono_tz::{GapInfo, Tz};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::homemade::Homemade;

/// A time zone. Cheap to clone.
#[derive(Clone, PartialEq)]
pub struct Zone(Rules);

#[derive(Clone, PartialEq)]
enum Rules {
    Iana(Tz),
    Homemade(Arc<Homemade>),
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Rules::Iana(Tz::UTC));

    /// The zone of an IANA name (`Europe/Berlin`), of a name that Windows, Outlook or Lotus have for one
    /// (`W. Europe Standard Time`), or of an IANA name behind a registry's (`/mozilla.org/20070129_1/Europe/Paris`).
    pub fn named(name: &str) -> Option<Self> {
        let Named::Tz(zone) = Named::from_str(name.trim()).ok()? else { return None };
        // A name that begins with an offset, "(UTC+05:30) Somewhere", but is not known, is read by its hours alone.
        let by_offset = name.trim_start().starts_with('(') && zone.name().starts_with("Etc/GMT");
        let halves = [":15", ":30", ":45"].iter().any(|minutes| name.contains(minutes));
        (!(by_offset && halves)).then_some(Self(Rules::Iana(zone)))
    }

    pub(crate) fn homemade(rules: Homemade) -> Self {
        Self(Rules::Homemade(Arc::new(rules)))
    }

    /// Its name in the IANA database; none for one that a file brought along.
    pub fn iana(&self) -> Option<&'static str> {
        match &self.0 {
            Rules::Iana(zone) => Some(zone.name()),
            Rules::Homemade(_) => None,
        }
    }

    /// What it is called: by IANA, or by the file that brought it.
    pub fn name(&self) -> &str {
        match &self.0 {
            Rules::Iana(zone) => zone.name(),
            Rules::Homemade(rules) => &rules.tzid,
        }
    }

    /// What a clock there shows.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.offset(instant).to_datetime(instant)
    }

    /// When a clock there shows this.
    pub fn instant(&self, local: DateTime) -> Timestamp {
        let seconds = match &self.0 {
            Rules::Iana(zone) => offset_of_local(*zone, local),
            Rules::Homemade(rules) => rules.offset_of_local(seconds(local)),
        };
        offset(seconds).to_timestamp(local).unwrap_or_else(|_| nearest(local))
    }

    /// How far it is from UTC.
    pub fn offset(&self, instant: Timestamp) -> Offset {
        offset(match &self.0 {
            Rules::Iana(zone) => {
                let utc = chrono::DateTime::from_timestamp(instant.as_second(), 0).unwrap_or_default();
                zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()
            }
            Rules::Homemade(rules) => rules.offset_at(instant.as_second()),
        })
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In seconds, for a local time: by the rules for those that exist twice or not at all.
fn offset_of_local(zone: Tz, local: DateTime) -> i32 {
    let local = chrono::DateTime::from_timestamp(seconds(local), 0).unwrap_or_default().naive_utc();
    if let Some(first) = zone.offset_from_local_datetime(&local).earliest() {
        return first.fix().local_minus_utc();
    }
    let before = GapInfo::new(&local, &zone).and_then(|gap| gap.begin);
    before.map_or(0, |(_, offset)| offset.fix().local_minus_utc())
}

/// A local time as if it were UTC, in seconds since 1970.
pub(crate) fn seconds(local: DateTime) -> i64 {
    Offset::UTC.to_timestamp(local).unwrap_or_else(|_| nearest(local)).as_second()
}

/// The other way round; at the ends of time, the end.
pub(crate) fn civil(seconds: i64) -> DateTime {
    let clamped = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Offset::UTC.to_datetime(Timestamp::from_second(clamped).unwrap_or_default())
}

fn offset(seconds: i32) -> Offset {
    Offset::from_seconds(seconds).unwrap_or(Offset::UTC)
}

fn nearest(local: DateTime) -> Timestamp {
    if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX }
}
