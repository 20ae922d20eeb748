//! A folder as it is, without confinement, and in the order of paths: the same rankings in every run.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use index::{Files, Found, Unreadable, Watching};

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn host(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn found(&self, host: &Path) -> Option<Found> {
        let about = fs::metadata(host).ok().filter(fs::Metadata::is_file)?;
        Some(Found {
            path: format!("/{}", host.strip_prefix(&self.0).ok()?.to_str()?),
            identity: (about.dev(), about.ino()),
            bytes: about.len(),
            modified_ns: about.mtime() * 1_000_000_000 + about.mtime_nsec(),
        })
    }

    fn visit(&self, folder: &Path, visit: &mut dyn FnMut(Found)) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        entries.sort();
        for host in entries {
            match self.found(&host) {
                Some(found) => visit(found),
                None => self.visit(&host, visit),
            }
        }
    }
}

impl Files for Folder {
    fn walk(
        &self,
        path: &str,
        _: bool,
        _: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(Found),
    ) -> Result<(), Unreadable> {
        self.visit(&self.host(path), visit);
        Ok(())
    }

    fn open(&self, path: &str) -> Result<(File, Found), Unreadable> {
        let host = self.host(path);
        let file = File::open(&host).map_err(|error| Unreadable::Other(error.to_string()))?;
        Ok((file, self.found(&host).ok_or(Unreadable::Gone)?))
    }

    fn look(&self, _: &File, path: &str) -> Result<Found, Unreadable> {
        self.found(&self.host(path)).ok_or(Unreadable::Gone)
    }

    fn watch(&self, _: &str, _: Box<dyn Fn(String) + Send>) -> Option<Watching> {
        None
    }

    fn shown_to(&self, _: &str, _: &str) -> bool {
        true
    }
}
