//! One line of a listing, in the original's form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::attributes::{Attributes, Kind};
use crate::path::VirtualPath;

/// One entry of a directory.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// The name in its directory.
    name: String,
    /// The path for the next call.
    path: String,
    /// What it is; a link is a `symlink` wherever it leads.
    r#type: Kind,
    /// Size in bytes; -1 for directories.
    size: i64,
    /// Time of the last change, ISO 8601 in UTC.
    modified_at: Option<String>,
}

// === impl Entry ===

impl Entry {
    pub(crate) fn of(path: &VirtualPath, found: &Attributes) -> Self {
        Self::called(path.name().unwrap_or("/").to_owned(), path.as_str().to_owned(), found)
    }

    /// The entry of this name at this path.
    pub(crate) fn called(name: String, path: String, found: &Attributes) -> Self {
        Self { name, path, r#type: found.kind, size: found.size(), modified_at: found.modified_at() }
    }

    /// About how long it is as JSON text.
    pub(crate) fn text_bytes(&self) -> usize {
        self.name.len() + self.path.len() + 128
    }
}
