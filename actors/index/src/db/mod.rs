//! What the state file knows of the index: the only truth. Graphs, bitmaps and everything else are made from it.
//!
//! Functions here take a connection and run inside somebody's transaction: writes in the one writer's, so that a file
//! is wholly in the index or not at all.

mod change;
mod model;
mod row;
mod watched;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use change::{Outcome, Piece, Read, distrust, forget, forget_below, moved, put, touched};
pub(crate) use model::{
    Model, all_texts, forget_others, model, model_of, put_vectors, texts, use_model, vector, vectors,
};
pub(crate) use row::{Counts, Hit, Known, counts, hits, known_below, owners};
pub(crate) use watched::{Watched, covers, is_below, unwatch, watch, watched};
pub(crate) use words::{matches, texts_known, wanted};
