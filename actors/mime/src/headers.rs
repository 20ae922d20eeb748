//! All fields of a header by name, for whoever looks for one that has no place of its own.

use serde::{Serialize, Serializer};

use crate::field::{self, Field};
use crate::problem::{Problem, Problems};
use crate::{Envelope, clean, limits};

/// The fields of a header in the order in which their names first occur, each with all its values. Encoded words are
/// decoded; a value is one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<String>)>);

impl Headers {
    /// Reads a header alone, as a server sends it for `BODY[HEADER]`, and what is in its fields.
    pub fn parse(bytes: &[u8]) -> (Self, Envelope, Vec<Problem>) {
        let mut problems = Problems::default();
        let (fields, _) = field::split(bytes, &mut problems);
        let (headers, envelope) = (Self::of(&fields), Envelope::of(&fields));
        (headers, envelope, problems.into_vec())
    }

    pub(crate) fn of(fields: &[Field<'_>]) -> Self {
        let mut headers: Vec<(String, Vec<String>)> = Vec::new();
        for field in fields {
            let value = clean::line(&field.text(), limits::VALUE_BYTES);
            match headers.iter_mut().find(|(name, _)| field.is(name)) {
                Some((_, values)) => values.push(value),
                None => headers.push((field.name.to_owned(), vec![value])),
            }
        }
        Self(headers)
    }

    /// All values of a field, whatever the case of its name.
    pub fn get(&self, name: &str) -> &[String] {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }

    /// Every name with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// As a map of lists.
impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
