//! `mcp.mail.listEvents`.

use std::collections::BTreeMap;

use calendar::{Limits, Zone};
use imap::{Page, Query};
use jiff::{Timestamp, ToSpan as _};
use mime::Part;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::LOOKS;
use crate::account::{Asked, FolderName};
use crate::fetching::Fetching;
use crate::ical::Entry;
use crate::parts::leaves;
use crate::service::Mail;
use crate::untrusted;

/// The longest calendar that is fetched out of a message, in bytes as it is encoded.
const CALENDAR_MAX: u64 = 2 << 20;

/// Lists what happens in a time, by the invitations and calendar files among the newest messages of a folder.
///
/// Of several messages about one event the latest counts; what was called off is left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListEvents {
    /// The account, by its id.
    account_id: String,
    /// The folder, by its whole name.
    #[serde(default = "FolderName::inbox")]
    folder: FolderName,
    /// From when (RFC 3339): `2026-12-01T00:00:00Z`; from now by default.
    #[serde(default)]
    start: Option<String>,
    /// Until when; thirty days later by default.
    #[serde(default)]
    end: Option<String>,
    /// The zone of times that have none: `Europe/Berlin`; UTC by default.
    #[serde(default)]
    zone: Option<String>,
    /// How many of the newest messages are looked at.
    #[serde(default = "two_hundred")]
    #[schemars(range(min = 1, max = 500))]
    messages: usize,
}

fn two_hundred() -> usize {
    200
}

/// What happens.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Events {
    /// In order of time. `occurrence_start` and `occurrence_end` say when; `mail_uid` which message says so.
    events: Vec<Entry>,
    /// How many messages were looked at.
    messages: usize,
    /// What could not be read, and what was left out because of a limit.
    problems: Vec<String>,
    /// Whose words these are.
    untrusted: &'static str,
}

/// A calendar out of a message.
struct Found {
    uid: u32,
    calendar: calendar::Calendar,
}

impl Method for ListEvents {
    const NAME: &'static str = "mcp.mail.listEvents";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;

    type Reply = Events;
    type Service = Mail;

    async fn call(self, _: &Context, mail: &Mail) -> Result<Events, Error> {
        let asked = Asked::of(mail, &self.account_id)?;
        let start = time("start", self.start.as_deref())?.unwrap_or_else(Timestamp::now);
        let later = || start.checked_add((30 * 24).hours()).unwrap_or(Timestamp::MAX);
        let window = start..time("end", self.end.as_deref())?.unwrap_or_else(later);
        let zone = self.zone.as_deref().unwrap_or("UTC");
        let zone = Zone::named(zone).ok_or_else(|| {
            Error::invalid_params(format!("there is no zone '{zone}': write it as Europe/Berlin"))
        })?;
        let page = Page { offset: 0, limit: self.messages };
        let found = asked.account.search(&self.folder.0, None, &Query::All, page).await;
        let found = found.map_err(|error| asked.fault(&error))?;
        let (mut problems, mut calendars) = (Vec::new(), Vec::new());
        if !found.uids.is_empty() {
            let at_a_glance =
                asked.account.summaries(&self.folder.0, Some(found.uid_validity), &found.uids).await;
            for summary in at_a_glance.map_err(|error| asked.fault(&error))?.messages {
                let parts = summary.structure.as_ref().map(leaves).unwrap_or_default();
                let (folder, validity) = (self.folder.0.as_str(), found.uid_validity);
                let fetching = Fetching { asked: &asked, folder, validity, uid: summary.uid };
                // An invitation is there twice: as an alternative of the text, and as a file.
                if let Some(part) = parts.iter().find(|part| is_calendar(part)) {
                    match calendar::read(&fetching.decoded(part).await?, &Limits::default()) {
                        Ok(calendar) => calendars.push(Found { uid: summary.uid, calendar }),
                        Err(error) => problems.push(format!("message {}: {error}", summary.uid)),
                    }
                }
            }
        }
        let events = occurrences(&latest(calendars), &window, &zone, &mut problems);
        Ok(Events { events, messages: found.uids.len(), problems, untrusted: untrusted::NOTE })
    }
}

fn is_calendar(part: &Part) -> bool {
    let named = part.filename.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".ics"));
    (matches!(part.mime_type.as_str(), "text/calendar" | "application/ics") || named)
        && part.size <= CALENDAR_MAX
}

/// Of calendars about the same event, that of the latest change: by its number, then by its message.
fn latest(calendars: Vec<Found>) -> Vec<Found> {
    let mut by_event: BTreeMap<String, ((u32, u32), Found)> = BTreeMap::new();
    let mut whole = Vec::new();
    for found in calendars {
        let uids: Vec<&str> = found.calendar.components.iter().map(|one| one.uid.as_str()).collect();
        let one_event = uids.windows(2).all(|pair| pair[0] == pair[1]);
        let Some(uid) = uids.first().filter(|uid| one_event && !uid.is_empty()).map(|uid| (*uid).to_owned())
        else {
            whole.push(found);
            continue;
        };
        let sequence = found.calendar.components.iter().map(|one| one.sequence).max().unwrap_or(0);
        // An answer says who comes and nothing of when it is.
        if found.calendar.method == Some(calendar::Method::Reply) {
            continue;
        }
        let age = (sequence, found.uid);
        if by_event.get(&uid).is_none_or(|(known, _)| *known < age) {
            by_event.insert(uid, (age, found));
        }
    }
    whole.extend(by_event.into_values().map(|(_, found)| found));
    whole.retain(|found| found.calendar.method != Some(calendar::Method::Cancel));
    whole
}

fn occurrences(
    calendars: &[Found],
    window: &std::ops::Range<Timestamp>,
    zone: &Zone,
    problems: &mut Vec<String>,
) -> Vec<Entry> {
    let mut events: Vec<(Timestamp, Entry)> = Vec::new();
    for Found { uid, calendar } in calendars {
        let found = calendar::occurrences(calendar, window, zone, &Limits::default());
        problems.extend(found.cut.map(|cut| format!("message {uid}: {cut}")));
        problems.extend(
            calendar
                .problems
                .iter()
                .map(|problem| format!("message {uid}: {}", super::parse_icalendar::shown(problem))),
        );
        for one in found.list.iter().filter(|one| !one.cancelled) {
            let entry = Entry::of(&calendar.components[one.component])
                .with("occurrence_start", json!(one.start.iso()))
                .with("occurrence_end", json!(one.end.iso()))
                .with("mail_uid", Value::from(*uid));
            events.push((one.starts_at, entry));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, entry)| entry).collect()
}

fn time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| Error::invalid_params(format!("{field} is a time such as 2026-12-01T00:00:00Z")))
}
