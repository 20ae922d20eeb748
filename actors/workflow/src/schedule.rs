//! When a schedule is due. The clock is an argument.

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Schedule;

/// A schedule, ready to be asked.
#[derive(Clone, Debug)]
pub struct Due {
    cron: Cron,
    zone: TimeZone,
}

impl Due {
    /// That of `schedule`.
    ///
    /// # Errors
    /// Which of its words are wrong, and what they must be: `(field, message)`.
    pub fn of(schedule: &Schedule) -> Result<Self, (&'static str, String)> {
        let cron: Cron = schedule.cron.parse().map_err(|error: croner::errors::CronError| {
            let shown: String = schedule.cron.chars().take(60).collect();
            (
                "cron",
                format!(
                    "`{shown}` is no time as crontab has them, such as `0 7 * * MON-FRI` or `@daily`: {error}"
                ),
            )
        })?;
        let zone = match schedule.timezone.as_str() {
            "" => TimeZone::UTC,
            name => TimeZone::get(name).map_err(|_| {
                let shown: String = name.chars().take(60).collect();
                ("timezone", format!("`{shown}` is no time zone; write one such as `Europe/Berlin`, or leave it out for UTC"))
            })?,
        };
        let due = Self { cron, zone };
        if due.after(Timestamp::UNIX_EPOCH).is_none() {
            return Err(("cron", "is never due: there is no such day".to_owned()));
        }
        Ok(due)
    }

    /// When it is next due after a time.
    pub fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&time.to_zoned(self.zone.clone()), false).ok()?;
        Some(next.timestamp())
    }

    /// When it was last due after `since` and not after `until`.
    pub fn last(&self, since: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let last =
            self.cron.find_previous_occurrence(&until.to_zoned(self.zone.clone()), true).ok()?.timestamp();
        (last > since).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(cron: &str, zone: &str) -> Result<Due, (&'static str, String)> {
        Due::of(&Schedule { cron: cron.into(), timezone: zone.into(), ..Schedule::default() })
    }

    #[track_caller]
    fn next(cron: &str, zone: &str, after: &str, expected: &str) {
        let found = due(cron, zone).unwrap().after(after.parse().unwrap()).unwrap();
        assert_eq!(found.to_string(), expected, "{cron} {zone}");
    }

    #[test]
    fn due_in_its_own_zone() {
        next("0 7 * * MON-FRI", "", "2026-11-20T07:00:00Z", "2026-11-23T07:00:00Z");
        next("0 7 * * *", "Europe/Berlin", "2026-11-20T05:00:00Z", "2026-11-20T06:00:00Z");
        next("*/10 * * * * *", "", "2026-11-20T05:00:01Z", "2026-11-20T05:00:10Z");
        next("@daily", "", "2026-11-20T05:00:01Z", "2026-11-21T00:00:00Z");
        // The hour that is left out in spring is made up for, and the one that comes twice in autumn counts once.
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
        next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_was_missed() {
        let hourly = due("0 * * * *", "").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let last = |since, until| hourly.last(at(since), at(until)).map(|time| time.to_string());
        assert_eq!(
            last("2026-11-20T05:30:00Z", "2026-11-20T08:10:00Z").as_deref(),
            Some("2026-11-20T08:00:00Z")
        );
        assert_eq!(last("2026-11-20T08:00:00Z", "2026-11-20T08:10:00Z"), None);
        assert_eq!(
            last("2026-11-20T07:59:00Z", "2026-11-20T08:00:00Z").as_deref(),
            Some("2026-11-20T08:00:00Z")
        );
    }

    #[test]
    fn what_is_no_schedule() {
        assert_eq!(due("every day", "").unwrap_err().0, "cron");
        assert_eq!(due("0 0 31 2 *", "").unwrap_err().0, "cron");
        assert_eq!(due("@daily", "Mars/Olympus").unwrap_err().0, "timezone");
    }
}
