//! What can go wrong with the file.

use std::path::PathBuf;

/// A failed open, change or query.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file could not be opened or prepared.
    #[error("open {}: check that the folder exists, is yours and has room", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer llmbasedos has changed the tables.
    #[error("{} was written by a newer llmbasedos (tables {found}, this one knows {known}): upgrade, or use another state directory", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A change failed and was rolled back.
    #[error("change state")]
    Change(#[source] rusqlite::Error),
    /// The commit failed: nothing of the batch is stored.
    #[error("commit state: {0}")]
    Commit(String),
    /// A query failed.
    #[error("read state")]
    Query(#[source] rusqlite::Error),
    /// The writer has stopped.
    #[error("the state file is closed")]
    Closed,
}
