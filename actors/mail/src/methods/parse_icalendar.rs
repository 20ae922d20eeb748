//! `mcp.mail.parseIcalendar`.

use calendar::Limits;
use protocol::{Code, Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ical::Entry;
use crate::service::Mail;

/// Reads a calendar file (iCalendar, RFC 5545): events, to-dos, journal entries and free-busy times.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParseIcalendar {
    /// The text of the file.
    #[schemars(length(min = 1, max = 4_194_304))]
    ics: String,
}

/// What is in a calendar file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Calendar {
    /// Its entries, in order. Times are ISO 8601: with an offset where they have a zone, without one where they are meant
    /// wherever one is, and days alone for whole days.
    events: Vec<Entry>,
    /// What it is for: `REQUEST` is an invitation, `CANCEL` calls one off; null for a plain calendar.
    method: Option<String>,
    /// What could not be read, with its line.
    problems: Vec<String>,
}

impl Method for ParseIcalendar {
    const NAME: &'static str = "mcp.mail.parseIcalendar";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;
    const ORIGINAL_FIELD: Option<&'static str> = Some("events");

    type Reply = Calendar;
    type Service = Mail;

    async fn call(self, _: &Context, _: &Mail) -> Result<Calendar, Error> {
        let read = calendar::read(self.ics.as_bytes(), &Limits::default()).map_err(|error| {
            Error::new(Code::MailCalendar, format!("This is no calendar: {error}."))
                .with_data(json!({ "kind": "no_calendar" }))
        })?;
        let method = read.method.as_ref().and_then(|method| serde_json::to_value(method).ok());
        Ok(Calendar {
            events: read.components.iter().map(Entry::of).collect(),
            method: method.and_then(|method| method.as_str().map(str::to_owned)),
            problems: read.problems.iter().map(shown).collect(),
        })
    }
}

pub(super) fn shown(problem: &calendar::Problem) -> String {
    match problem.line {
        Some(line) => format!("line {line}: {}", problem.what),
        None => problem.what.clone(),
    }
}
