//! The entries of a listing as text, for whoever asks the same of a directory in which nothing has changed: to sort
//! fifty names and to write what is known of them is half of what such an answer costs.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::entry::Entry;
use crate::path::VirtualPath;
use crate::question::Question;

/// The entries of an answer.
#[derive(Debug)]
pub(crate) enum Entries {
    /// Made for it.
    Made(Vec<Entry>),
    /// Those of an earlier one.
    Written(Arc<RawValue>),
}

/// An answer, and what it answered.
#[derive(Debug)]
pub(crate) struct Written {
    question: Question,
    path: VirtualPath,
    /// How many entries there are, all of them in the text.
    pub(crate) total: usize,
    text: Arc<RawValue>,
}

// === impl Entries ===

impl Entries {
    /// About how long they are as JSON text.
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Self::Made(entries) => entries.iter().map(Entry::text_bytes).sum(),
            Self::Written(text) => text.get().len(),
        }
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Made(entries) => entries.serialize(serializer),
            Self::Written(text) => text.serialize(serializer),
        }
    }
}

// === impl Written ===

impl Written {
    /// All `entries` of the directory, as they were asked for; `None` where they cannot be written.
    pub(crate) fn of(question: Question, path: &VirtualPath, entries: &[Entry]) -> Option<Self> {
        let text = to_raw_value(entries).ok()?;
        Some(Self { question, path: path.clone(), total: entries.len(), text: text.into() })
    }

    /// The entries, if this was asked for by the same words.
    pub(crate) fn answers(&self, question: Question, path: &VirtualPath) -> Option<Entries> {
        (self.question == question && self.path == *path).then(|| Entries::Written(Arc::clone(&self.text)))
    }
}
