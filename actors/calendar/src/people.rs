//! The people and rooms of a meeting: who invites, who is invited, and what they answered.

use calcard::icalendar::ICalendarParameterName as Name;
use serde::Serialize;

use crate::property::{Property, caret};
use crate::tokens::{Partstat, Role, UserType};

/// Who invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// As the file has it; none where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address, without `mailto:`. What is no mail address is as the file has it.
    pub email: String,
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attendee {
    /// Name and address.
    #[serde(flatten)]
    pub person: Person,
    /// What they answered.
    pub partstat: Partstat,
    /// Their part.
    pub role: Role,
    /// What they are.
    pub kind: UserType,
    /// Whether an answer is asked for.
    pub rsvp: bool,
    /// Addresses of those who come instead, or for whom they come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delegates: Vec<String>,
}

impl Person {
    /// Reads ORGANIZER or ATTENDEE; none without an address.
    pub(crate) fn read(property: &Property) -> Option<Self> {
        let address = property.text().or_else(|| property.parameter(&Name::Email))?;
        // Some calendars have a path or a number there, and the address beside it (RFC 7986 section 6.2).
        let beside = property.parameter(&Name::Email).filter(|_| !is_mail(address));
        let name = property.parameter(&Name::Cn).map(|name| caret(name).trim().to_owned());
        let email = mail(beside.unwrap_or(address)).to_owned();
        Some(Self { name: name.filter(|name| !name.is_empty() && *name != email), email })
    }
}

impl Attendee {
    /// Reads ATTENDEE; none without an address.
    pub(crate) fn read(property: &Property) -> Option<Self> {
        let word = |name| property.parameter(name);
        let (from, to) = (word(&Name::DelegatedFrom), word(&Name::DelegatedTo));
        Some(Self {
            person: Person::read(property)?,
            partstat: word(&Name::Partstat).and_then(Partstat::read).unwrap_or(Partstat::NeedsAction),
            role: word(&Name::Role).and_then(Role::read).unwrap_or(Role::Required),
            kind: match word(&Name::Cutype) {
                Some(kind) => UserType::read(kind).unwrap_or(UserType::Unknown),
                None => UserType::Individual,
            },
            rsvp: word(&Name::Rsvp).is_some_and(|rsvp| rsvp.eq_ignore_ascii_case("TRUE")),
            delegates: from.into_iter().chain(to).map(|address| mail(address).to_owned()).collect(),
        })
    }
}

fn is_mail(address: &str) -> bool {
    address.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
}

fn mail(address: &str) -> &str {
    let address = address.trim();
    if is_mail(address) { address[7..].trim() } else { address }
}
