//! The zones that a file's TZIDs mean.
//!
//! A name that is known wins over the definition a file brings with it: definitions are cut short and old, names are
//! not (the Calendaring and Scheduling Consortium recommends the same, CC/R 0602). Then the name that the definition
//! gives itself; then its rules.

use std::collections::HashMap;

use calcard::common::timezone::Tz as Named;
use calcard::icalendar::{ICalendarProperty, ICalendarValue};

use crate::homemade::Homemade;
use crate::problem::{Problems, beginning};
use crate::property::Property;
use crate::tree::Node;
use crate::zone::Zone;

/// Zones that a file may bring and that are expanded: each costs some milliseconds. Nobody lives in more.
const HOMEMADE_MAX: usize = 20;

/// The zones of a file.
pub(crate) struct Zones<'a> {
    defined: HashMap<&'a str, &'a Node>,
    /// What was asked for before.
    known: HashMap<String, Option<Zone>>,
    homemade: usize,
}

impl<'a> Zones<'a> {
    pub(crate) fn new(nodes: impl Iterator<Item = &'a Node>) -> Self {
        let mut defined = HashMap::new();
        for node in nodes {
            let mut named =
                node.properties.iter().filter(|property| *property.name() == ICalendarProperty::Tzid);
            if let Some(tzid) = named.find_map(Property::text) {
                defined.entry(tzid.trim()).or_insert(node);
            }
        }
        Self { defined, known: HashMap::new(), homemade: 0 }
    }

    /// The zone of a TZID that stands on this line; where there is none, that is a problem, told once.
    pub(crate) fn find(&mut self, tzid: &str, line: u32, problems: &mut Problems) -> Option<Zone> {
        let tzid = tzid.trim();
        if let Some(known) = self.known.get(tzid) {
            return known.clone();
        }
        let found = Zone::named(tzid).or_else(|| self.defined(tzid, problems));
        if found.is_none() {
            let tzid = beginning(tzid);
            problems
                .at(line, format!("the zone {tzid:?} is neither defined nor known; read as without a zone"));
        }
        self.known.insert(tzid.to_owned(), found.clone());
        found
    }

    fn defined(&mut self, tzid: &str, problems: &mut Problems) -> Option<Zone> {
        let node = *self.defined.get(tzid)?;
        let of_itself =
            |name: &str| node.properties.iter().find(|one| one.called().eq_ignore_ascii_case(name));
        let location = of_itself("X-LIC-LOCATION").and_then(|property| Zone::named(property.written()));
        if location.is_some() {
            return location;
        }
        if self.homemade == HOMEMADE_MAX {
            problems
                .at(node.line, format!("more than {HOMEMADE_MAX} zones are defined; this one is left out"));
            return None;
        }
        self.homemade += 1;
        let homemade = Homemade::read(tzid, node, problems).map(Zone::homemade);
        // Exchange's number is the same whether or not its user lets clocks change: the rules know.
        homemade.or_else(|| of_itself("X-MICROSOFT-CDO-TZID").and_then(microsoft))
    }
}

/// Exchange's numbers of zones.
fn microsoft(property: &Property) -> Option<Zone> {
    let number = property.values().first().and_then(ICalendarValue::as_text)?;
    Zone::named(&Named::from_ms_cdo_zone_id(number.trim())?.name()?)
}
