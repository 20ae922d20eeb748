//! Finding by what is in files: the index's view of the roots, and the methods that ask it.
//!
//! The index knows virtual paths only. What it may read is what a caller could be shown: it goes from handle to handle
//! beneath the roots as every call does, and which tier sees which path is asked of the roots at every search.

mod answer;
mod methods;
mod source;
mod watching;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use index::{Config, Index};
use protocol::Entry;

use crate::service::Fs;

/// The handle that the methods of the search work with.
#[derive(Clone)]
pub struct Search {
    pub(crate) fs: Fs,
    pub(crate) index: Index,
}

/// What the search is told.
pub struct Parts {
    /// Where everything is kept.
    pub store: store::Store,
    /// Where the parts that are made from it are kept.
    pub folder: PathBuf,
    /// Who makes vectors.
    pub embedder: embedding::Embedder,
}

impl Search {
    /// A search in the roots of `fs`.
    pub fn new(fs: &Fs, settings: &cluster_config::fs::Search, parts: Parts) -> Self {
        let Parts { store, folder, embedder } = parts;
        let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let index = Index::new(Config {
            files: Arc::new(fs.clone()),
            store,
            folder,
            embedder,
            text_bytes: bytes(settings.text_bytes_max),
            document_bytes: bytes(settings.document_bytes_max),
            look_every: Duration::from_secs(settings.look_every_minutes * 60),
        });
        Self { fs: fs.clone(), index }
    }

    /// The index as a child of a supervisor.
    pub fn child(&self, id: &str) -> supervisor::ChildSpec {
        index::child(id, &self.index)
    }
}

/// Every method of the search.
pub fn methods(search: &Search) -> Vec<Entry> {
    methods::all(search)
}
