//! The properties of a component, one after the other, into its fields; and what does not fit together.

use calcard::icalendar::{ICalendarParameterName, ICalendarProperty as Name, ICalendarValue};
use jiff::Span;

use crate::alarm::Alarm;
use crate::component::{Component, Kind};
use crate::people::{Attendee, Person};
use crate::property::Property;
use crate::rule::Rule;
use crate::tokens::{Class, Status};
use crate::tree::Node;
use crate::values::Reading;
use crate::when::When;

impl Component {
    pub(crate) fn read(kind: Kind, node: &Node, reading: &mut Reading<'_>) -> Self {
        let mut component = Self { kind, line: node.line, ..Self::default() };
        for property in &node.properties {
            component.property(property, reading);
        }
        let alarms = node.children.iter().filter(|child| child.kind == "VALARM");
        component.alarms = alarms.map(|alarm| Alarm::read(alarm, reading)).collect();
        component.all_day = component.start.as_ref().or(component.due.as_ref()).is_some_and(When::is_date);
        component.check(reading);
        component
    }

    fn property(&mut self, property: &Property, reading: &mut Reading<'_>) {
        let text = || property.text().map(str::to_owned);
        match property.name() {
            Name::Uid => self.uid = text().unwrap_or_default(),
            Name::Summary => self.summary = text(),
            Name::Description => self.description = text(),
            Name::Location => self.location = text(),
            Name::Url => self.url = text(),
            Name::Categories => {
                let words = property.values().iter().filter_map(ICalendarValue::as_text).map(str::trim);
                self.categories.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
            }
            Name::Status => self.status = reading.token(property, Status::read),
            Name::Class => self.class = text().map(|word| Class::read(&word).unwrap_or(Class::Private)),
            Name::Transp => {
                self.transparent = text().is_some_and(|word| word.eq_ignore_ascii_case("TRANSPARENT"));
            }
            Name::Priority => self.priority = reading.number(property),
            Name::PercentComplete => self.percent_complete = reading.number(property),
            Name::Sequence => self.sequence = reading.number(property).unwrap_or(0),
            Name::Organizer => self.organizer = Person::read(property),
            Name::Attendee => match Attendee::read(property) {
                Some(attendee) => self.attendees.push(attendee),
                None => reading.wrong(property, "has no address; left out"),
            },
            Name::Dtstart => self.start = reading.when(property),
            Name::Dtend => self.end = reading.when(property),
            Name::Due => self.due = reading.when(property),
            Name::Completed => self.completed = reading.when(property),
            Name::Created => self.created = reading.when(property),
            Name::LastModified => self.last_modified = reading.when(property),
            Name::Dtstamp => self.dtstamp = reading.when(property),
            Name::Duration => self.duration = reading.span(property),
            Name::Exdate => self.exdates.extend(reading.whens(property)),
            Name::Rdate => self.rdates.extend(reading.periods(property)),
            Name::Freebusy => self.busy(property, reading),
            Name::RecurrenceId => {
                self.recurrence_id = reading.when(property);
                let range = property.parameter(&ICalendarParameterName::Range);
                self.this_and_future = range.is_some();
            }
            Name::Rrule => match Rule::read(property.written()) {
                Ok(rule) => self.rrule.push(rule),
                Err(what) => reading.wrong(property, &format!("{what}; read as if it did not recur")),
            },
            Name::Exrule => reading.wrong(property, "is not followed: RFC 5545 has no such rules any more"),
            _ => {}
        }
    }

    /// FREEBUSY: only what is not free is kept.
    fn busy(&mut self, property: &Property, reading: &mut Reading<'_>) {
        let free = property.parameter(&ICalendarParameterName::Fbtype);
        if !free.is_some_and(|word| word.eq_ignore_ascii_case("FREE")) {
            self.busy.extend(reading.periods(property));
        }
    }

    /// What does not fit together is told, and what is used instead.
    fn check(&mut self, reading: &mut Reading<'_>) {
        if self.recurrence_id.is_some() && !self.rrule.is_empty() {
            self.rrule.clear();
            reading.problems.at(self.line, "one occurrence of a series has a rule of its own; not followed");
        }
        if self.kind != Kind::FreeBusy && self.start.is_none() && self.recurs() {
            reading.problems.at(self.line, "it recurs, but has no DTSTART to begin with");
        }
        if self.kind == Kind::Event && self.start.is_none() && self.recurrence_id.is_none() {
            reading.problems.at(self.line, "an event without a DTSTART that can be read never happens");
        }
        let Some(start) = &self.start else { return };
        for (name, end) in [("DTEND", &mut self.end), ("DUE", &mut self.due)] {
            let what = match end {
                Some(end) if end.is_date() != start.is_date() => {
                    "is a day where DTSTART is a time, or the reverse"
                }
                Some(end) if end.instant(&crate::Zone::UTC) < start.instant(&crate::Zone::UTC) => {
                    "is before DTSTART"
                }
                _ => continue,
            };
            *end = None;
            reading.problems.at(self.line, format!("{name} {what}; left out"));
        }
        if self.duration.is_some_and(Span::is_negative) {
            self.duration = None;
            reading.problems.at(self.line, "DURATION is negative; left out");
        }
    }
}
