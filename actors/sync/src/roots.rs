//! What this service needs of the roots, which belong to another one.

use std::path::PathBuf;

use protocol::Error;

/// What a job does in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Looks.
    Read,
    /// Everything; the folder may be missing yet.
    Write,
}

/// The roots, as the file service knows them.
pub trait Roots: Send + Sync + 'static {
    /// Where on this machine the folder is that callers of `tier` call `path`. It is resolved beneath its root's handle,
    /// so there is no link in it, and it is in no other root.
    ///
    /// # Errors
    /// The file service's own: not found, outside, read-only.
    fn folder(&self, tier: &str, path: &str, access: Access) -> Result<PathBuf, Error>;

    /// Whether callers of `tier` see the root that `path` is in.
    fn shows(&self, tier: &str, path: &str) -> bool;

    /// Where all roots are, and what may be done in each.
    fn all(&self) -> Vec<(PathBuf, Access)>;
}
