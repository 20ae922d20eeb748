//! What happens within a window of time.

use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;

use crate::component::Kind;
use crate::limits::Limits;
use crate::read::Calendar;
use crate::series::{Series, series};
use crate::steps::Steps;
use crate::tokens::{Method, Status};
use crate::when::When;
use crate::zone::Zone;

/// Something that happens once.
#[derive(Debug, Clone, Serialize)]
pub struct Occurrence {
    /// Which of [`Calendar::components`] says what it is.
    pub component: usize,
    /// When it begins.
    pub start: When,
    /// When it ends; the end is not part of it.
    pub end: When,
    /// Which occurrence of its series it is, by when it would have been; none where there is no series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence_id: Option<When>,
    /// Whether a component of its own says so, and not the series.
    pub overridden: bool,
    /// Whether it was called off.
    pub cancelled: bool,
    /// The instant of the start, for order: a day begins at midnight in the floating zone.
    #[serde(skip)]
    pub starts_at: Timestamp,
    /// The instant of the end.
    #[serde(skip)]
    pub ends_at: Timestamp,
}

/// What happens within a window.
#[derive(Debug, Clone, Serialize)]
pub struct Occurrences {
    /// In the order of their starts.
    pub list: Vec<Occurrence>,
    /// Why there may be more than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
}

/// What of a calendar happens within the window: what begins before its end and ends after its start, or is a point in
/// time within it (RFC 4791 section 9.9). Days and times without a zone are taken to be in `floating`. A to-do without
/// a start happens when it is due. What was called off is answered, and marked.
pub fn occurrences(
    calendar: &Calendar,
    window: &Range<Timestamp>,
    floating: &Zone,
    limits: &Limits,
) -> Occurrences {
    let mut found = Found {
        calendar,
        window: window.clone(),
        floating,
        list: Vec::new(),
        max: limits.occurrences,
        steps: Steps::new(limits.steps),
        cut: None,
    };
    for series in series(&calendar.components) {
        series.expand(&mut found);
    }
    found.finish()
}

/// What is found, as it is found.
pub(crate) struct Found<'a> {
    pub(crate) calendar: &'a Calendar,
    pub(crate) window: Range<Timestamp>,
    pub(crate) floating: &'a Zone,
    pub(crate) max: usize,
    pub(crate) steps: Steps,
    list: Vec<Occurrence>,
    cut: Option<String>,
}

/// An occurrence before it is known whether it is in the window.
pub(crate) struct Candidate {
    pub(crate) component: usize,
    pub(crate) start: When,
    pub(crate) end: When,
    pub(crate) recurrence_id: Option<When>,
    pub(crate) overridden: bool,
    /// Its series was called off.
    pub(crate) cancelled: bool,
}

impl Found<'_> {
    /// Keeps it if it is within the window.
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        let Candidate { component, start, end, recurrence_id, overridden, cancelled } = candidate;
        let (starts_at, ends_at) = (start.instant(self.floating), end.instant(self.floating));
        // Of an end before the start only its component could be told; here it is a point in time.
        let (end, ends_at) = if ends_at < starts_at { (start.clone(), starts_at) } else { (end, ends_at) };
        let begins = starts_at < self.window.end;
        let lasts = ends_at > self.window.start || (ends_at <= starts_at && starts_at >= self.window.start);
        if !(begins && lasts) {
            return;
        }
        let cancelled = cancelled
            || self.calendar.method == Some(Method::Cancel)
            || self.calendar.components[component].status == Some(Status::Cancelled);
        let occurrence =
            Occurrence { component, start, end, recurrence_id, overridden, cancelled, starts_at, ends_at };
        self.list.push(occurrence);
        // The first ones are kept, and found again and again among what is not yet too many.
        if self.list.len() > self.max.saturating_mul(4) {
            self.shorten();
        }
    }

    /// Not everything was looked for; the first reason is told.
    pub(crate) fn cut(&mut self, why: impl FnOnce() -> String) {
        self.cut.get_or_insert_with(why);
    }

    fn shorten(&mut self) {
        self.list.sort_by_key(|occurrence| (occurrence.starts_at, occurrence.ends_at, occurrence.component));
        if self.list.len() > self.max {
            self.list.truncate(self.max);
            let max = self.max;
            self.cut(|| format!("more than {max} occurrences; these are the first"));
        }
    }

    fn finish(mut self) -> Occurrences {
        self.shorten();
        Occurrences { list: self.list, cut: self.cut }
    }
}

impl Series {
    /// When it is at all, for a component without a series: its start, or when a to-do is due.
    pub(crate) fn begins(found: &Found<'_>, index: usize) -> Option<When> {
        let component = &found.calendar.components[index];
        let due = component.due.as_ref().filter(|_| component.kind == Kind::Todo);
        component.start.as_ref().or(due).cloned()
    }
}
