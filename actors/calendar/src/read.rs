//! A calendar out of bytes: which components are in a file, and what it says of itself.

use calcard::icalendar::ICalendarProperty;
use serde::Serialize;

use crate::component::{Component, Kind};
use crate::limits::Limits;
use crate::lines::Lines;
use crate::problem::{NotACalendar, Problem, Problems, beginning};
use crate::property::Property;
use crate::tokens::Method;
use crate::tree::{Node, tree};
use crate::values::Reading;
use crate::zones::Zones;

/// What is in a calendar file.
#[derive(Debug, Clone, Serialize)]
pub struct Calendar {
    /// What it was sent for; none for one that was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// What it is called (NAME, or X-WR-CALNAME before RFC 7986).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The zone it is shown in where its author is (X-WR-TIMEZONE), by its IANA name. It changes no time in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Events, to-dos, journal entries and free-busy times, in the order of the file.
    pub components: Vec<Component>,
    /// What could not be read, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads a calendar file. What can be read of a broken one is read, and [`Calendar::problems`] says what cannot.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Calendar, NotACalendar> {
    if bytes.len() > limits.bytes {
        return Err(NotACalendar::TooLarge { bytes: bytes.len(), bytes_max: limits.bytes });
    }
    let mut problems = Problems::new(limits.problems);
    let file = tree(Lines::new(bytes), &mut problems);
    if !file.children.iter().any(|node| node.kind == "VCALENDAR" || kind(node).is_some()) {
        return Err(nothing(bytes));
    }
    // A file may hold several calendars one after another, or components without one around them.
    let calendars = || file.children.iter().filter(|node| node.kind == "VCALENDAR");
    let nodes = || calendars().flat_map(|calendar| &calendar.children).chain(&file.children);
    let of_calendars = || calendars().flat_map(|calendar| &calendar.properties);
    let text = |names: &[&str]| {
        let named =
            |name: &&str| of_calendars().find(|property| property.called().eq_ignore_ascii_case(name));
        names.iter().filter_map(named).find_map(Property::text).map(str::to_owned)
    };
    let zones = Zones::new(nodes().filter(|node| node.kind == "VTIMEZONE"));
    let mut reading = Reading { zones, problems: &mut problems };
    let mut components = Vec::new();
    for (kind, node) in nodes().filter_map(|node| kind(node).map(|kind| (kind, node))) {
        if components.len() == limits.components {
            let max = limits.components;
            reading.problems.at(node.line, format!("more than {max} components; the rest is left out"));
            break;
        }
        components.push(Component::read(kind, node, &mut reading));
    }
    let method = of_calendars().find(|property| *property.name() == ICalendarProperty::Method);
    let method = method.and_then(|property| reading.token(property, Method::read));
    let zone = text(&["X-WR-TIMEZONE"]).and_then(|name| Some(crate::Zone::named(&name)?.iana()?.to_owned()));
    let name = text(&["NAME", "X-WR-CALNAME"]);
    Ok(Calendar { method, name, zone, components, problems: problems.finish() })
}

fn kind(node: &Node) -> Option<Kind> {
    Some(match node.kind.as_str() {
        "VEVENT" => Kind::Event,
        "VTODO" => Kind::Todo,
        "VJOURNAL" => Kind::Journal,
        "VFREEBUSY" => Kind::FreeBusy,
        _ => return None,
    })
}

/// Why there is no calendar.
fn nothing(bytes: &[u8]) -> NotACalendar {
    match Lines::new(bytes).next() {
        Some(line) => NotACalendar::NoComponent { line: line.number, found: beginning(line.text.trim()) },
        None => NotACalendar::Empty,
    }
}
