//! The files that are indexed, as whoever confines them shows them.

use std::fs::File;

/// A file as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its virtual path.
    pub path: String,
    /// Device and inode: what it keeps when it is renamed.
    pub identity: (u64, u64),
    /// Its length.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// Why a path cannot be looked at, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing is there, or nothing that may be seen.
    #[error("it is not there")]
    Gone,
    /// Everything else.
    #[error("{0}")]
    Other(String),
}

/// Keeps a watch alive; its drop ends it.
pub type Watching = Box<dyn Send>;

/// Whose files are indexed. All methods block on the disk.
pub trait Files: Send + Sync + 'static {
    /// Visits every regular file that is `path` or lies below it (`deep`), or in it (not `deep`), in any order: neither
    /// hidden ones nor what ignore files exclude. Ends early when `stop` says so. The folders that could not be looked
    /// into: what is known below them may still be there.
    ///
    /// # Errors
    /// When `path` itself cannot be looked at.
    fn walk(
        &self,
        path: &str,
        deep: bool,
        stop: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(Found),
    ) -> Result<Vec<String>, Unreadable>;

    /// Opens one file for reading.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    fn open(&self, path: &str) -> Result<(File, Found), Unreadable>;

    /// What an open file is by now.
    ///
    /// # Errors
    /// When the kernel does not say.
    fn look(&self, file: &File, path: &str) -> Result<Found, Unreadable>;

    /// Calls `changed` with the paths of files and folders that changed at or below `path`, until the watch is dropped.
    /// None where that is not possible: then changes are seen at the next look around.
    fn watch(&self, path: &str, changed: Box<dyn Fn(String) + Send>) -> Option<Watching>;

    /// Whether callers of `tier` may read what is at `path`.
    fn shown_to(&self, tier: &str, path: &str) -> bool;
}
