//! Calendar files (iCalendar, RFC 5545): what is in them, and when it happens.
//!
//! [`read`] makes a [`Calendar`] of a file's bytes and says with the line what it could not read; files come from
//! everywhere, so what can be used of a broken one is used. [`occurrences`] says what happens within a window: rules
//! expanded, exceptions left out, moved meetings where they were moved to. Pure: bytes come in, the time zones are
//! compiled in, the clock is an argument. Everything is bounded ([`Limits`]), because files are other people's.
//!
//! The grammar of one property is calcard's and recurrence rules are rrule's; what they leave is here: lines and their
//! numbers, nesting, times with their zones, and the set of occurrences (decision 0017 says why it is cut so).

mod limits;
mod problem;
mod tokens;

mod lines;
mod property;
mod tree;

mod homemade;
mod when;
mod zone;
mod zones;

mod alarm;
mod component;
mod fields;
mod people;
mod read;
mod values;

mod clock;
mod finer;
mod rule;
mod series;
mod steps;
mod taking;

mod occurrences;

pub use alarm::{Alarm, Trigger};
pub use component::{Component, Kind};
pub use limits::Limits;
pub use occurrences::{Occurrence, Occurrences, occurrences};
pub use people::{Attendee, Person};
pub use problem::{NotACalendar, Problem};
pub use read::{Calendar, read};
pub use rule::Rule;
pub use tokens::{Class, Method, Partstat, Role, Status, UserType};
pub use when::{Period, When};
pub use zone::Zone;

#[cfg(test)]
mod tests;
