//! How a directory is listed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What entries are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    /// Directories first, then by name without regard to case.
    #[default]
    Name,
    /// By size in bytes; directories count as -1.
    Size,
    /// By the time of the last change.
    Modified,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// Smallest, oldest, A first.
    #[default]
    Ascending,
    /// Largest, newest, Z first.
    Descending,
}

/// What is asked of a directory, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    pub(crate) hidden: bool,
    pub(crate) details: bool,
}

impl Question {
    /// Whether names alone answer it.
    pub(crate) fn is_of_names(self) -> bool {
        !self.details && self.sort == Sort::Name
    }
}
