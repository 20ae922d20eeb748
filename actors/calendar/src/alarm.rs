//! Alarms (RFC 5545 section 3.6.6): when a person is reminded, and how.

use calcard::icalendar::{ICalendarParameterName, ICalendarProperty};
use jiff::Span;
use serde::Serialize;

use crate::tree::Node;
use crate::values::Reading;
use crate::when::When;

/// A reminder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// `DISPLAY`, `AUDIO`, `EMAIL`, or a program's own word, in capitals.
    pub action: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How often it comes again after the first time.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeat: u32,
}

/// When a reminder comes. A negative span is before; spans are serialised as ISO 8601 durations (`-PT15M`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// So much after the start.
    Start(Span),
    /// So much after the end.
    End(Span),
    /// Then.
    At(When),
}

impl PartialEq for Trigger {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Start(one), Self::Start(two)) | (Self::End(one), Self::End(two)) => {
                one.fieldwise() == two.fieldwise()
            }
            (Self::At(one), Self::At(two)) => one == two,
            _ => false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Alarm {
    pub(crate) fn read(node: &Node, reading: &mut Reading<'_>) -> Self {
        let mut alarm = Self { action: "DISPLAY".to_owned(), trigger: None, description: None, repeat: 0 };
        for property in &node.properties {
            match property.name() {
                ICalendarProperty::Action => {
                    if let Some(action) = property.text() {
                        alarm.action = action.to_ascii_uppercase();
                    }
                }
                ICalendarProperty::Description => alarm.description = property.text().map(str::to_owned),
                ICalendarProperty::Repeat => alarm.repeat = reading.number(property).unwrap_or(0),
                ICalendarProperty::Trigger => {
                    let related = property.parameter(&ICalendarParameterName::Related);
                    alarm.trigger =
                        if property.values().iter().any(|value| value.as_partial_date_time().is_some()) {
                            reading.when(property).map(Trigger::At)
                        } else if related.is_some_and(|related| related.eq_ignore_ascii_case("END")) {
                            reading.span(property).map(Trigger::End)
                        } else {
                            reading.span(property).map(Trigger::Start)
                        };
                }
                _ => {}
            }
        }
        if alarm.trigger.is_none() {
            reading.problems.at(node.line, "an alarm without a TRIGGER that can be read");
        }
        alarm
    }
}
