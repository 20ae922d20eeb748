//! Finding by what is in files: the index's view of the roots, and the methods that ask it.
//!
//! The index knows virtual paths only. What it may read is what a caller could be shown: it goes from handle to handle
//! beneath the roots as every call does, and which tier sees which path is asked of the roots at every search.

pub(crate) mod answer;
mod source;
mod watching;

#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use index::{Config, Index};
use protocol::{Context, Error};

use crate::fault::{Fault, What};
use crate::path::{ClientPath, VirtualPath};
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
    /// Who reads files.
    pub reader: Arc<dyn reading::Reader>,
    /// Who makes vectors.
    pub embedder: embedding::Embedder,
    /// Where the model of a name is loaded from.
    pub of_model: index::OfModel,
}

impl Search {
    /// A search in the roots of `fs`.
    pub fn new(fs: &Fs, settings: &cluster_config::Search, parts: Parts) -> Self {
        let Parts { store, folder, reader, embedder, of_model } = parts;
        let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let index = Index::new(Config {
            files: Arc::new(fs.clone()),
            store,
            folder,
            reader,
            embedder,
            model: settings.model.clone(),
            of_model,
            text_bytes: bytes(settings.text_bytes_max),
            document_bytes: bytes(settings.document_bytes_max),
            look_every: Duration::from_secs(settings.look_every_minutes * 60),
            limits: index::Limits::default(),
        });
        Self { fs: fs.clone(), index }
    }

    /// The index as a child of a supervisor.
    pub fn child(&self, id: &str) -> supervisor::ChildSpec {
        index::child(id, &self.index)
    }
}

impl Search {
    /// The path of a parameter, which this caller must be able to see.
    pub(crate) fn path(&self, context: &Context, path: &ClientPath) -> Result<VirtualPath, Error> {
        Ok(self.fs.look_up(context, path)?.map_or_else(VirtualPath::top, |place| place.path))
    }

    /// The same, for a call that changes what is indexed at and below it: `/` is all roots, those too that this caller
    /// does not see.
    pub(crate) fn path_to_change(&self, context: &Context, path: &ClientPath) -> Result<VirtualPath, Error> {
        let path = self.path(context, path)?;
        if path.is_top() && !self.sees_all(context) {
            return Err(Fault::new(What::Denied, &path).into());
        }
        Ok(path)
    }

    /// Whether this caller sees all roots.
    pub(crate) fn sees_all(&self, context: &Context) -> bool {
        self.fs.roots().iter().all(|root| root.shown_to(&context.caller.tier))
    }

    /// How the index is of what is at and below `path` and this caller sees.
    pub(crate) async fn status(&self, context: &Context, path: &VirtualPath) -> Result<index::Status, Error> {
        let index = self.index.clone();
        let seen = |root: &&crate::roots::Root| root.shown_to(&context.caller.tier);
        let paths: Vec<String> = if path.is_top() && !self.sees_all(context) {
            self.fs.roots().iter().filter(seen).map(|root| root.at.to_string()).collect()
        } else {
            vec![path.to_string()]
        };
        let read = tokio::task::spawn_blocking(move || index.status(&paths));
        read.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}
