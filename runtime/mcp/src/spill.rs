//! Results too large to be given at once, kept for an hour on disk for whoever they were made for.
//!
//! They are files in a folder of the state directory, for the owner alone, and are gone with the next start.

use std::collections::VecDeque;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a kept result is addressed.
pub(crate) const PREFIX: &str = "llmbasedos://results/";

/// How long one is kept.
const KEPT: Duration = Duration::from_hours(1);

/// How many, and how many bytes in all: beyond it the oldest goes.
const RESULTS_MAX: usize = 256;
const BYTES_MAX: usize = 256 << 20;

/// Kept results.
pub(crate) struct Spill {
    folder: Option<PathBuf>,
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    name: String,
    caller: String,
    bytes: usize,
    until: Instant,
}

impl Spill {
    /// Keeps results in `folder`, which is emptied; nothing is kept where it cannot be made.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        let folder = folder.filter(|folder| {
            let _ = fs::remove_dir_all(folder);
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            if let Err(error) = &made {
                tracing::warn!(folder = %folder.display(), %error, "large results cannot be kept");
            }
            made.is_ok()
        });
        Self { folder, kept: Mutex::default() }
    }

    /// Keeps a result for `caller`; returns its URI, if it could be kept.
    pub(crate) fn keep(&self, caller: &str, text: &str) -> Option<String> {
        let folder = self.folder.as_ref()?;
        let name = crate::seal::unguessable();
        let path = folder.join(&name);
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "a large result could not be kept");
            let _ = fs::remove_file(path);
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + KEPT;
        kept.push_back(Kept { name: name.clone(), caller: caller.to_owned(), bytes: text.len(), until });
        while let Some(oldest) = kept.front()
            && (oldest.until < Instant::now()
                || kept.len() > RESULTS_MAX
                || kept.iter().map(|kept| kept.bytes).sum::<usize>() > BYTES_MAX)
        {
            let _ = fs::remove_file(folder.join(&oldest.name));
            kept.pop_front();
        }
        Some(format!("{PREFIX}{name}"))
    }

    /// The result of this URI, if it is this caller's.
    pub(crate) fn read(&self, caller: &str, uri: &str) -> Option<String> {
        let name = uri.strip_prefix(PREFIX)?;
        let known = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|kept| kept.name == name && kept.caller == caller && kept.until > Instant::now());
        fs::read_to_string(self.folder.as_ref()?.join(name)).ok().filter(|_| known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_its_callers_alone_and_ends_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("spill");
        let spill = Spill::new(Some(place.clone()));
        let uri = spill.keep("a", "large").unwrap();
        assert_eq!(spill.read("a", &uri).as_deref(), Some("large"));
        assert_eq!(spill.read("b", &uri), None);
        for other in ["llmbasedos://results/../x", "llmbasedos://results/", "file:///etc/passwd"] {
            assert_eq!(spill.read("a", other), None, "{other}");
        }
        let next = Spill::new(Some(place.clone()));
        assert_eq!(next.read("a", &uri), None);
        assert_eq!(fs::read_dir(place).unwrap().count(), 0);
    }

    #[test]
    fn the_oldest_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::new(Some(folder.path().join("spill")));
        let uris: Vec<_> = (0..=RESULTS_MAX).map(|n| spill.keep("a", &n.to_string()).unwrap()).collect();
        assert_eq!(spill.read("a", &uris[0]), None);
        assert_eq!(spill.read("a", &uris[1]).as_deref(), Some("1"));
    }
}
