//! A series: what recurs, and the components of their own that some of its occurrences have.
//!
//! The occurrences are the start, what the rules give and what RDATE adds, without what EXDATE takes away (RFC 5545
//! section 3.8.5). One that has a component of its own is where that says, whatever the rules say of it; one that
//! stands for all after it moves those by as much on the clock as it was moved itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, Length};
use crate::component::{Component, Kind};
use crate::occurrences::{Candidate, Found};
use crate::rule::Rule;
use crate::tokens::Status;
use crate::when::When;

/// Components of one UID, by their places in the calendar.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// What recurs; none where only single occurrences were sent.
    master: Option<usize>,
    overrides: Vec<usize>,
}

/// The series of a calendar, in the order of their first components. Free-busy times do not happen.
pub(crate) fn series(components: &[Component]) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    let mut places: HashMap<(Kind, &str), usize> = HashMap::new();
    for (index, component) in components.iter().enumerate() {
        if component.kind == Kind::FreeBusy {
            continue;
        }
        // Without a UID nothing belongs to it.
        let place = match component.uid.as_str() {
            "" => all.len(),
            uid => *places.entry((component.kind, uid)).or_insert(all.len()),
        };
        if place == all.len() {
            all.push(Series::default());
        }
        let series = &mut all[place];
        if component.recurrence_id.is_some() {
            series.overrides.push(index);
        } else if series.master.is_none_or(|master| version(component) >= version(&components[master])) {
            series.master = Some(index);
        }
    }
    all
}

/// Which of two is newer (RFC 5546 section 2.1.5); of the same version, the later in the file.
fn version(component: &Component) -> (u32, Option<Timestamp>) {
    (component.sequence, component.dtstamp.as_ref().map(|stamp| stamp.instant(&crate::Zone::UTC)))
}

/// A component that one or more occurrences have of their own.
struct Override {
    index: usize,
    /// Which occurrence.
    id: When,
    local: DateTime,
    start: When,
}

impl Series {
    pub(crate) fn expand(&self, found: &mut Found<'_>) {
        let Some((master, begins)) =
            self.master.and_then(|master| Some((master, Self::begins(found, master)?)))
        else {
            return self.loose(found);
        };
        let calendar = found.calendar;
        let component = &calendar.components[master];
        let clock = Clock::new(&begins, found.floating);
        let length = Length::of(component, &begins, found.floating);
        let cancelled = component.status == Some(Status::Cancelled);
        let overrides = self.overrides(found, &clock);
        let ranges: Vec<_> =
            overrides.iter().filter(|(_, o)| calendar.components[o.index].this_and_future).collect();
        let slack = ranges.iter().map(|(_, one)| moved(&clock, one).abs()).max().unwrap_or_default();
        let recurs = component.recurs();
        let locals = near(found, master, &clock, length, slack);
        for (key, (local, ends)) in locals {
            if overrides.contains_key(&key) {
                continue;
            }
            let id = clock.when(local);
            let range = ranges.iter().rev().find(|(since, _)| **since <= key);
            let (index, start, length) = match range {
                Some((_, one)) => {
                    let start = clock.when(local.checked_add(moved(&clock, one)).unwrap_or(local));
                    let own = Length::of(&calendar.components[one.index], &one.start, found.floating);
                    (one.index, start, own)
                }
                None => (master, id.clone(), length),
            };
            let end = ends.unwrap_or_else(|| length.end(&start));
            let recurrence_id = recurs.then_some(id);
            let overridden = range.is_some();
            found.offer(Candidate { component: index, start, end, recurrence_id, overridden, cancelled });
        }
        for one in overrides.into_values() {
            offer(found, one, cancelled);
        }
    }

    /// Single occurrences whose series is not in the file.
    fn loose(&self, found: &mut Found<'_>) {
        let Some(first) = self.overrides.first() else { return };
        let Some(id) = &found.calendar.components[*first].recurrence_id else { return };
        let clock = Clock::new(id, found.floating);
        for one in self.overrides(found, &clock).into_values() {
            offer(found, one, false);
        }
    }

    /// By which occurrence they are of; of several for one, the newest.
    fn overrides(&self, found: &Found<'_>, clock: &Clock) -> BTreeMap<i64, Override> {
        let components = &found.calendar.components;
        let mut overrides: BTreeMap<i64, Override> = BTreeMap::new();
        for index in &self.overrides {
            let component = &components[*index];
            let Some(id) = component.recurrence_id.clone() else { continue };
            let local = clock.local(&id);
            let start = Self::begins(found, *index).unwrap_or_else(|| id.clone());
            let key = clock.key(local);
            let newer = overrides
                .get(&key)
                .is_none_or(|known| version(component) >= version(&components[known.index]));
            if newer {
                overrides.insert(key, Override { index: *index, id, local, start });
            }
        }
        overrides
    }
}

/// The occurrences near the window by their keys: what the clock shows, and the end of one that RDATE ends.
fn near(
    found: &mut Found<'_>,
    master: usize,
    clock: &Clock,
    length: Length,
    slack: SignedDuration,
) -> BTreeMap<i64, (DateTime, Option<When>)> {
    let component = &found.calendar.components[master];
    let mut locals = BTreeMap::new();
    let mut add = |local: DateTime, end: Option<When>| {
        locals.entry(clock.key(local)).or_insert((local, end));
    };
    let reach = slack.saturating_add(length.max());
    // Near a change of clocks, what they show says little of what is before and what is after.
    let around = SignedDuration::from_hours(26);
    let first_local = clock.at(found.window.start).checked_sub(reach.saturating_add(around));
    let last_local = clock.at(found.window.end).checked_add(slack.saturating_add(around));
    let window = first_local.unwrap_or(DateTime::MIN)..last_local.unwrap_or(DateTime::MAX);
    if let Some(first) = Series::begins(found, master) {
        let first = clock.local(&first);
        add(first, None);
        for rule in &component.rrule {
            for local in within(found, rule, first, window.clone(), clock, reach, component.line) {
                add(local, None);
            }
        }
    }
    for period in &component.rdates {
        add(clock.local(&period.start), period.end.clone());
    }
    let days: HashSet<_> =
        component.exdates.iter().filter(|when| when.is_date()).map(|when| when.written().date()).collect();
    for exdate in &component.exdates {
        locals.remove(&clock.key(clock.local(exdate)));
    }
    // A day takes away what begins on it, though it should have been a time.
    locals.retain(|_, (local, _)| !days.contains(&local.date()));
    locals
}

/// What a rule gives near the window.
fn within(
    found: &mut Found<'_>,
    rule: &Rule,
    first: DateTime,
    mut window: std::ops::Range<DateTime>,
    clock: &Clock,
    reach: SignedDuration,
    line: u32,
) -> Vec<DateTime> {
    if !found.steps.left() {
        found.cut(|| {
            format!("expanding rules took too long; the one of the component on line {line} was not begun")
        });
        return Vec::new();
    }
    if let Some(until) = rule.until() {
        let last = until.written().checked_add(SignedDuration::from_hours(50)).unwrap_or(DateTime::MAX);
        window.end = window.end.min(last);
    }
    let max = found.max.saturating_add(1);
    let begin = found.window.start.checked_sub(reach).unwrap_or(Timestamp::MIN);
    let until = |local: DateTime| rule.until().is_none_or(|until| clock.is_until(local, until));
    let wanted = |local: DateTime| (local == first || until(local)) && clock.instant(local) >= begin;
    let (locals, more) = rule.locals(first, window, &wanted, max, &mut found.steps);
    if more {
        found.cut(|| format!("the rule of the component on line {line} was not followed to its end"));
    }
    locals
}

fn offer(found: &mut Found<'_>, one: Override, cancelled: bool) {
    let component = &found.calendar.components[one.index];
    let end = Length::of(component, &one.start, found.floating).end(&one.start);
    let (index, start) = (one.index, one.start);
    found.offer(Candidate {
        component: index,
        start,
        end,
        recurrence_id: Some(one.id),
        overridden: true,
        cancelled,
    });
}

/// How far an occurrence was moved on the clock of its series.
fn moved(clock: &Clock, one: &Override) -> SignedDuration {
    clock.local(&one.start).duration_since(one.local)
}
