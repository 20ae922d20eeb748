//! Calendars as callers see them, with the original's fields.

use std::borrow::Cow;

use calendar::{Component, Kind, When};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A calendar entry. The fields are the original's, in the words of RFC 5545; those that it does not have are left out.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Entry(Map<String, Value>);

impl JsonSchema for Entry {
    fn schema_name() -> Cow<'static, str> {
        "CalendarEntry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A calendar entry. The fields are the original's, in the words of RFC 5545; those that it does \
                            not have are left out.",
            "type": "object",
            "additionalProperties": { "description": "A property, as RFC 5545 calls it, in lower case." },
        })
    }
}

impl Entry {
    pub(crate) fn of(component: &Component) -> Self {
        let mut fields = match serde_json::to_value(component) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        fields.insert("type".to_owned(), json!(kind(component.kind)));
        // The original's names for what is called otherwise here.
        for (ours, theirs, when) in [
            ("start", "dtstart", component.start.as_ref()),
            ("end", "dtend", component.end.as_ref()),
            ("last_modified", "last-modified", component.last_modified.as_ref()),
            ("due", "due", component.due.as_ref()),
            ("completed", "completed", component.completed.as_ref()),
            ("created", "created", component.created.as_ref()),
            ("dtstamp", "dtstamp", component.dtstamp.as_ref()),
        ] {
            fields.remove(ours);
            fields.extend(when.map(|when| (theirs.to_owned(), json!(when.iso()))));
            let zone = when.and_then(zone).filter(|_| matches!(ours, "start" | "end"));
            fields.extend(zone.map(|zone| (format!("{theirs}_zone"), json!(zone))));
        }
        for (ours, theirs) in [("exdates", "exdate"), ("rdates", "rdate")] {
            let value = fields.remove(ours);
            fields.extend(value.map(|value| (theirs.to_owned(), value)));
        }
        fields.remove("kind");
        Self(fields)
    }

    /// A field more.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "VEVENT",
        Kind::Todo => "VTODO",
        Kind::Journal => "VJOURNAL",
        Kind::FreeBusy => "VFREEBUSY",
    }
}

/// The name of a time's zone, if it has one.
pub(crate) fn zone(when: &When) -> Option<String> {
    match when {
        When::Zoned { zone, .. } => Some(zone.name().to_owned()),
        When::Date(_) | When::Floating(_) | When::Utc(_) => None,
    }
}
