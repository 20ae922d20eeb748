//! The index of a person's files: what is in them, by words and by meaning, kept current.
//!
//! ```text
//! queue -> keeping: walk, compare with what is known, read what differs (reading) -> state file: files, chunks, words
//!                                                                                      |
//!          vectorising: texts without a vector -> embedding -> state file: vectors -> near: memory and segments
//! ```
//!
//! The state file is the only truth ([`db`]): a file is in it wholly or not at all, and a vector once it is committed is
//! never made again, because texts are known by what they say. Words are found as soon as a file is read; meaning follows.
//! Everything in memory (`table`, `near`) is made from it at the start and kept up with every commit.

mod child;
mod contents;
mod db;
mod earlier;
mod fuse;
mod index;
mod keeping;
mod near;
mod queue;
mod restless;
mod search;
mod snippet;
mod source;
mod table;
mod vectorising;

pub use child::child;
pub use earlier::OfModel;
pub use index::{Config, Index, Status, Ticket};
pub use search::{Answer, Ask, Filter, Hit, Mode, Query, SearchError};
pub use source::{Files, Found, Unreadable, Watching};
pub use vectors::Limits;

#[cfg(test)]
mod tests;
