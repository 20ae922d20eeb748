//! What files contain, as their first bytes told when they were last looked at: opening one for that again and reading
//! is half of what looking at it costs.
//!
//! A file that was changed since has another time of change, which no program can set. One that was changed a moment
//! before it was read could be changed again within the same tick of the file system's clock, so nothing is kept of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::attributes::{Attributes, Identity};

/// Files that are remembered.
const FILES_MAX: usize = 512;

/// The coarsest clock of a file system that we know ticks so often, in seconds.
const TICK: i64 = 2;

/// What was found in the files that were looked at last.
#[derive(Debug, Default)]
pub(crate) struct Types(Mutex<HashMap<Identity, Found>>);

/// What was found in a file, when it was so long and had changed last at these times.
#[derive(Debug)]
struct Found {
    bytes: u64,
    modified: (i64, u32),
    changed: (i64, u32),
    /// Names tell one kind of text from another, and a file may have several.
    name: String,
    mime: &'static str,
}

impl Types {
    /// What a file of this name contains, if it is as it was.
    pub(crate) fn of(&self, file: &Attributes, name: &str) -> Option<&'static str> {
        let files = self.files();
        let found = files.get(&file.identity)?;
        let Found { bytes, modified, changed, .. } = *found;
        let same =
            (bytes, modified, changed) == (file.bytes, file.modified, file.changed) && found.name == name;
        same.then_some(found.mime)
    }

    /// Keeps what was read in a file after the kernel had said this of it.
    pub(crate) fn keep(&self, file: &Attributes, name: &str, mime: &'static str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if i64::try_from(now).unwrap_or_default() - file.changed.0 <= TICK {
            return;
        }
        let Attributes { bytes, modified, changed, .. } = *file;
        let mut files = self.files();
        // All of them at once is a walk, in which nothing is looked at twice.
        if files.len() >= FILES_MAX && !files.contains_key(&file.identity) {
            files.clear();
        }
        files.insert(file.identity, Found { bytes, modified, changed, name: name.to_owned(), mime });
    }

    fn files(&self) -> MutexGuard<'_, HashMap<Identity, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::*;

    fn look(path: &Path) -> Attributes {
        Attributes::of(File::open(path).unwrap()).unwrap()
    }

    /// As it would have been if it had last changed long ago.
    fn old(path: &Path) -> Attributes {
        let now = look(path);
        Attributes { changed: (now.changed.0 - 60, now.changed.1), ..now }
    }

    #[test]
    fn only_what_has_not_changed_is_known() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        fs::write(&path, "text").unwrap();
        let (types, file) = (Types::default(), old(&path));
        assert_eq!(types.of(&file, "file"), None);
        types.keep(&file, "file", "text/plain");
        assert_eq!(types.of(&file, "file"), Some("text/plain"));
        assert_eq!(types.of(&file, "file.md"), None, "a name tells what sort of text it is");
        assert_eq!(types.of(&look(&path), "file"), None, "it has another time of change");
        assert_eq!(types.of(&Attributes { bytes: 5, ..file }, "file"), None);
        assert_eq!(types.of(&Attributes { modified: (0, 0), ..file }, "file"), None);
    }

    #[test]
    fn nothing_is_kept_of_what_changed_just_now() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        fs::write(&path, "text").unwrap();
        let (types, file) = (Types::default(), look(&path));
        types.keep(&file, "file", "text/plain");
        assert_eq!(types.of(&file, "file"), None);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let types = Types::default();
        for n in 0..=FILES_MAX {
            let path = place.path().join(n.to_string());
            fs::write(&path, "").unwrap();
            types.keep(&old(&path), "file", "text/plain");
            assert!(types.files().len() <= FILES_MAX);
        }
        assert_eq!(types.files().len(), 1);
    }
}
