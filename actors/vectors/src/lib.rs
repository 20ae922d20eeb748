//! Nearest neighbours among chunks of text: exact while that is fast, and by graphs (HNSW) beyond.
//!
//! [`Index`] holds a byte a dimension of each vector and answers from memory; the vectors as they were given stay with the
//! caller, who is asked for the best few of each search ([`Originals`]). What is new is in a tail that is compared one by
//! one. Above [`Limits::exact_max`] the tail's oldest are sealed into segments, whose graphs take long to build:
//! [`Index::plan`] says what is to be built, [`Plan::build`] does it on the caller's thread, [`Index::install`] swaps it
//! in. Searches, insertions and deletions go on meanwhile and wait for none of it.
//!
//! Files are a cache ([`open`]). The truth is elsewhere, and after opening the caller compares the two.

mod error;
mod file;
mod graph;
mod index;
mod merge;
mod near;
mod open;
mod quantise;
mod segment;
mod tail;
mod view;

pub use error::{SearchError, VectorsError};
pub use file::Unusable;
pub use index::{Hit, Index, Limits, Originals, Query, Shape, Stats};
pub use merge::{Built, Plan};
pub use open::{Opened, open};
pub use roaring;

#[cfg(test)]
mod tests;
