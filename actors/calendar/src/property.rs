//! One property: its line, its parameters and its values, as calcard reads them.

use calcard::icalendar::{
    ICalendarComponentType, ICalendarEntry, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};

use crate::lines::Line;

/// A property of a component.
#[derive(Debug)]
pub(crate) struct Property {
    /// The line it begins on.
    pub(crate) line: u32,
    /// Its content line, for what calcard reads otherwise than we do: rules, whose numbers it cuts to a byte.
    text: String,
    entry: ICalendarEntry,
}

impl Property {
    /// Reads a content line; none where it is no property.
    pub(crate) fn read(line: Line) -> Option<Self> {
        colon(&line.text)?;
        let entry = match Parser::new(&line.text).icalendar(ICalendarComponentType::VCalendar) {
            Entry::ICalendar(mut read) => read.components.first_mut()?.entries.pop()?,
            _ => return None,
        };
        Some(Self { line: line.number, text: line.text, entry })
    }

    pub(crate) fn name(&self) -> &ICalendarProperty {
        &self.entry.name
    }

    /// What it is called in the file.
    pub(crate) fn called(&self) -> &str {
        let end = self.text.find([':', ';']).unwrap_or(self.text.len());
        self.text[..end].trim()
    }

    pub(crate) fn values(&self) -> &[ICalendarValue] {
        &self.entry.values
    }

    /// Its value as it is written: nothing unescaped, nothing split.
    pub(crate) fn written(&self) -> &str {
        colon(&self.text).map_or("", |colon| self.text[colon + 1..].trim())
    }

    /// Its first value as text; none where that is empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.values().first().and_then(ICalendarValue::as_text).filter(|text| !text.is_empty())
    }

    /// A parameter's first value; none where that is empty.
    pub(crate) fn parameter(&self, name: &ICalendarParameterName) -> Option<&str> {
        self.entry.parameters(name).find_map(|value| value.as_text()).filter(|text| !text.is_empty())
    }
}

/// Where the value begins: the first colon that is not within quotes.
fn colon(text: &str) -> Option<usize> {
    let mut quoted = false;
    let colon = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    });
    // With a quote that never ends, the first colon has to do.
    colon.or_else(|| text.find(':'))
}

/// What `^n`, `^'` and `^^` stand for in a parameter (RFC 6868).
pub(crate) fn caret(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let stands_for = match (letter, letters.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                decoded.push(letter);
                continue;
            }
        };
        letters.next();
        decoded.push(stands_for);
    }
    decoded
}
