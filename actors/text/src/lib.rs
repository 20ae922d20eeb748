//! Text out of files, in chunks that follow its structure: what a search by meaning indexes.
//!
//! [`Extractors`] turns a file's bytes into text and [`Block`]s (a paragraph, a row, a function, each with the headings
//! above it), or says in words for a person why there is none. [`chunks`] joins and splits blocks to the size that a
//! model reads at once. Pure: bytes come in, the clock and the model's tokenizer are arguments, nothing is kept.
//! Everything is bounded ([`Limits`]), because files are other people's.

mod content_type;
mod extract;
mod skipped;

mod blocks;
mod decode;
mod formats;
mod registry;

mod chunk;

pub use chunk::{Chunk, Sizes, Tokens, chunks};
pub use content_type::{HEAD_BYTES, content_type};
pub use extract::{Block, Extract, Extracted, Limits, Offsets, Shape, Source, Trail};
pub use registry::Extractors;
pub use skipped::Skipped;

#[cfg(test)]
mod tests;
