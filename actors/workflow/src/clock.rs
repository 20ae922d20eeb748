//! Times in templates: `{{ run.created | minus('1d') | date('Europe/Berlin') }}`. There is no `now`: a run that goes on
//! after a crash would come to other values than before it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, Error, ErrorKind};

use crate::span::Span;

/// Gives templates the filters `plus`, `minus` and `date`.
pub(crate) fn teach(environment: &mut Environment<'static>) {
    environment.add_filter("plus", |time: &str, by: &str| shifted(time, by, 1));
    environment.add_filter("minus", |time: &str, by: &str| shifted(time, by, -1));
    environment.add_filter("date", date);
}

fn shifted(time: &str, by: &str, sign: i64) -> Result<String, Error> {
    let by: Span = by.parse().map_err(wrong)?;
    let shifted = moment(time)?.as_millisecond().checked_add(sign * by.ms());
    let shifted = shifted.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    shifted.map(|time| time.to_string()).ok_or_else(|| wrong("is out of all time"))
}

/// The day that it is then, in a zone; in UTC without one.
fn date(time: &str, zone: Option<&str>) -> Result<String, Error> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => {
            TimeZone::get(name).map_err(|_| wrong("a time zone is called as in `Europe/Berlin`"))?
        }
    };
    Ok(moment(time)?.to_zoned(zone).date().to_string())
}

fn moment(time: &str) -> Result<Timestamp, Error> {
    time.parse().map_err(|_| wrong("a time is written as in `2027-01-01T08:00:00Z`"))
}

fn wrong(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}
