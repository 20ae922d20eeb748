//! One line of a listing, in the original's form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::attributes::{Attributes, Kind};
use crate::path::VirtualPath;

/// One entry of a directory; without `details`, no more than what it is called and what it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// The name in its directory.
    name: String,
    /// The path for the next call.
    path: String,
    /// What it is; a link is a `symlink` wherever it leads.
    r#type: Kind,
    /// Size in bytes; -1 for directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    /// Time of the last change, ISO 8601 in UTC; null where it is none that can be written so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "not looked at, and looked at in vain")]
    modified_at: Option<Option<String>>,
}

// === impl Entry ===

impl Entry {
    pub(crate) fn of(path: &VirtualPath, found: &Attributes) -> Self {
        Self::called(path.name().unwrap_or("/").to_owned(), path.as_str().to_owned(), found)
    }

    /// The entry of this name at this path.
    pub(crate) fn called(name: String, path: String, found: &Attributes) -> Self {
        let (size, modified_at) = (Some(found.size()), Some(found.modified_at()));
        Self { name, path, r#type: found.kind, size, modified_at }
    }

    /// An entry that was not looked at.
    pub(crate) fn only(name: String, path: String, kind: Kind) -> Self {
        Self { name, path, r#type: kind, size: None, modified_at: None }
    }

    /// About how long it is as JSON text.
    pub(crate) fn text_bytes(&self) -> usize {
        self.name.len() + self.path.len() + 128
    }
}
