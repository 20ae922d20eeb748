//! Which text stands in which file, in memory: what filters are answered from. Made from the state file at the start,
//! and kept up with every change.

use std::collections::HashMap;

use roaring::RoaringTreemap;
use store::rusqlite::{Connection, Result};

use crate::db::{self, Known};

/// What a filter asks about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) modified_ns: i64,
    pub(crate) texts: Vec<u64>,
}

/// All files that have texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    files: HashMap<i64, Entry>,
}

impl Table {
    /// Reads everything. Blocks on the disk.
    pub(crate) fn read(db: &Connection) -> Result<Self> {
        let mut table = Self::default();
        for (known, _) in db::known_below(db, "/")? {
            let Known { id, path, kind, modified_ns, skipped: None, .. } = known else { continue };
            table.files.insert(id, Entry { path, kind, modified_ns, texts: Vec::new() });
        }
        db::owners(db, |text, file| {
            if let Some(entry) = table.files.get_mut(&file) {
                entry.texts.push(text);
            }
        })?;
        Ok(table)
    }

    /// Takes a file as it is now; one without texts is no longer here.
    pub(crate) fn put(&mut self, file: i64, entry: Entry) {
        if entry.texts.is_empty() {
            self.files.remove(&file);
        } else {
            self.files.insert(file, entry);
        }
    }

    pub(crate) fn forget(&mut self, file: i64) {
        self.files.remove(&file);
    }

    pub(crate) fn rename(&mut self, file: i64, to: &str) {
        if let Some(entry) = self.files.get_mut(&file) {
            to.clone_into(&mut entry.path);
        }
    }

    /// Every text of the files that `wanted` says yes to.
    pub(crate) fn texts(&self, wanted: impl Fn(&Entry) -> bool) -> RoaringTreemap {
        self.files
            .values()
            .filter(|entry| wanted(entry))
            .flat_map(|entry| entry.texts.iter().copied())
            .collect()
    }

    /// The paths of the files that `wanted` says yes to.
    pub(crate) fn paths(&self, wanted: impl Fn(&Entry) -> bool) -> impl Iterator<Item = String> {
        self.files.values().filter(move |entry| wanted(entry)).map(|entry| entry.path.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file of this path.
    pub(crate) fn at(&self, path: &str) -> Option<&Entry> {
        self.files.values().find(|entry| entry.path == path)
    }
}
