//! What can go wrong with an index.

use std::io;
use std::path::PathBuf;

/// A failed insertion, build or opening.
#[derive(Debug, thiserror::Error)]
pub enum VectorsError {
    /// A vector is of another length than the index.
    #[error("a vector of {found} dimensions in an index of {wanted}: embed it with the model of the index")]
    Dimension {
        /// That of the index.
        wanted: usize,
        /// That of the vector.
        found: usize,
    },
    /// An index of this dimension is not possible.
    #[error("an index of {dimension} dimensions: from 1 to {max} are possible")]
    Shape {
        /// What was asked for.
        dimension: usize,
        /// The most.
        max: usize,
    },
    /// A component is infinite or no number.
    #[error("a vector with a component that is not finite: the model's output is damaged")]
    NotFinite,
    /// The directory of segment files cannot be made or read.
    #[error("read the segments in {}: check that the folder is yours", path.display())]
    Folder {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A segment file could not be written; nothing has changed.
    #[error("write segment {}: check that there is room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The build was told to stop; nothing has changed.
    #[error("the build was cancelled")]
    Cancelled,
    /// What was built is of segments that are no longer there, because another build has replaced them.
    #[error("the build is of segments that have been replaced: make a new plan")]
    Stale,
    /// Threads to build with could not be started.
    #[error("start threads to build a segment")]
    Threads {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The graph that was built has a form that is not known here.
    #[error("read the graph that instant-distance has built")]
    Graph {
        /// Why.
        #[source]
        source: postcard::Error,
    },
}

/// A failed search.
#[derive(Debug, thiserror::Error)]
pub enum SearchError<E> {
    /// The question is not one for this index.
    #[error(transparent)]
    Query(#[from] VectorsError),
    /// The originals could not be read.
    #[error("read the original vectors")]
    Originals(#[source] E),
}
