//! When a message was written, with the offset of where: `2026-11-01T10:00:00+09:00`.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};
use mail_parser::DateTime;
use serde::{Serialize, Serializer};

/// A moment and the offset from UTC that its clock had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The moment.
    pub at: Timestamp,
    /// East of Greenwich is positive.
    pub offset: Offset,
}

impl Date {
    /// What was read, if there is such a day and such an hour.
    pub(crate) fn of(read: &DateTime) -> Option<Self> {
        let part = |n: u8| i8::try_from(n).ok();
        // A leap second is the last second of its minute here.
        let second = part(read.second.min(59))?;
        let year = i16::try_from(read.year).ok()?;
        let civil = civil::DateTime::new(
            year,
            part(read.month)?,
            part(read.day)?,
            part(read.hour)?,
            part(read.minute)?,
            second,
            0,
        );
        let east = i32::from(read.tz_hour) * 3600 + i32::from(read.tz_minute) * 60;
        let offset = Offset::from_seconds(if read.tz_before_gmt { -east } else { east }).ok()?;
        Some(Self { at: offset.to_timestamp(civil.ok()?).ok()?, offset })
    }

    /// As the Date field of a message has it (RFC 5322 3.3).
    pub(crate) fn rfc_5322(self) -> Option<String> {
        rfc2822::to_string(&self.at.to_zoned(TimeZone::fixed(self.offset))).ok()
    }
}

/// ISO 8601 to the second, with the offset.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.offset.to_datetime(self.at);
        let (minutes, sign) =
            (self.offset.seconds().abs() / 60, if self.offset.is_negative() { '-' } else { '+' });
        write!(f, "{}{sign}{:02}:{:02}", civil.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
