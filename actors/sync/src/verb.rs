//! What a job does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a job does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    /// Copies what is new or changed; deletes nothing.
    #[default]
    Copy,
    /// Makes the destination like the source, deleting what the source lacks.
    Sync,
    /// Copies, and deletes at the source.
    Move,
    /// Compares, and changes nothing.
    Check,
    /// Makes both sides alike, with the changes and deletions of each.
    Bisync,
}

impl Verb {
    /// In rclone's command line and paths, and in the state file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Move => "move",
            Self::Check => "check",
            Self::Bisync => "bisync",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Copy, Self::Sync, Self::Move, Self::Check, Self::Bisync]
            .into_iter()
            .find(|verb| verb.word() == word)
    }

    /// Whether it deletes, so that it needs a plan.
    pub(crate) fn deletes(self) -> bool {
        matches!(self, Self::Sync | Self::Move | Self::Bisync)
    }

    /// Whether it changes the source.
    pub(crate) fn changes_source(self) -> bool {
        matches!(self, Self::Move | Self::Bisync)
    }

    /// Whether it changes the destination.
    pub(crate) fn changes_destination(self) -> bool {
        self != Self::Check
    }
}
