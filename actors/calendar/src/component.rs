//! An event, a to-do, a journal entry or free-busy times: what a file says of it.

use jiff::Span;
use serde::Serialize;

use crate::alarm::Alarm;
use crate::people::{Attendee, Person};
use crate::rule::Rule;
use crate::tokens::{Class, Status};
use crate::when::{Period, When};

/// What a component is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// VEVENT.
    #[default]
    Event,
    /// VTODO.
    Todo,
    /// VJOURNAL.
    Journal,
    /// VFREEBUSY.
    FreeBusy,
}

/// An event, a to-do, a journal entry or free-busy times (RFC 5545 section 3.6), as the file has it: a series is one
/// component, and each occurrence that differs from it another with the same `uid`. What the file does not say is not
/// serialised.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Component {
    /// What it is.
    pub kind: Kind,
    /// The line of its BEGIN.
    pub line: u32,
    /// The same for all versions and occurrences of it. Empty where a file leaves it out.
    pub uid: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether it takes place, or how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// From 1, the most urgent, to 9; 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// How much of a to-do is done, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_complete: Option<u32>,
    /// Labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Where more is to be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizer: Option<Person>,
    /// Who is invited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// Whether it is about whole days.
    pub all_day: bool,
    /// Whether it leaves the time free (TRANSP).
    pub transparent: bool,
    /// When it begins, or its first occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<When>,
    /// When an event ends, as far as the file says so. The end is not part of it: one day ends on the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<When>,
    /// When a to-do is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<When>,
    /// When a to-do was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<When>,
    /// How long it takes, where the file says that instead of an end; an ISO 8601 duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// When it was written first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<When>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<When>,
    /// When this version was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtstamp: Option<When>,
    /// Which version it is, from 0.
    pub sequence: u32,
    /// When it comes again: nearly always one rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rrule: Vec<Rule>,
    /// When it comes besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rdates: Vec<Period>,
    /// When it does not come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exdates: Vec<When>,
    /// Which occurrence this is, by when it would have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence_id: Option<When>,
    /// Whether it also stands for all occurrences after that one (RANGE=THISANDFUTURE).
    pub this_and_future: bool,
    /// When the time is taken (VFREEBUSY).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub busy: Vec<Period>,
    /// Reminders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
}

impl Component {
    /// Whether it comes more than once.
    pub fn recurs(&self) -> bool {
        !self.rrule.is_empty() || !self.rdates.is_empty()
    }
}
