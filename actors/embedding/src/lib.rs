//! Vectors of texts: a model, its tokenizer and its runtime, loaded when wanted.
//!
//! ```text
//! Embedder -> queue -> worker thread -> Box<dyn Embed>: a process (child), or a script in a test
//!                                            | frames over a pipe
//!                      llmbasedos-embed: serve -> fastembed -> libonnxruntime.so
//! ```
//!
//! The model is in a process of its own, `llmbasedos-embed` (decision 0014): unloading it is ending that process, and
//! native code that crashes takes nothing else with it. It knows nothing of files that are searched, chunks or indexes.

mod child;
mod embedder;
mod engine;
mod error;
mod folder;
mod job;
#[cfg(any(feature = "onnx", feature = "rten"))]
mod known;
#[cfg(any(feature = "onnx", feature = "rten"))]
mod load;
mod message;
#[cfg(feature = "onnx")]
mod onnx;
mod queue;
#[cfg(feature = "rten")]
mod rten;
mod seat;
mod serve;
#[cfg(any(feature = "onnx", feature = "rten"))]
mod tokenize;
mod worker;

pub use child::{Program, Settings};
pub use embedder::{Embedder, Status, TEXTS_MAX};
pub use engine::{Embed, Facts, Load, Role};
pub use error::EmbedError;
pub use folder::Places;
#[cfg(any(feature = "onnx", feature = "rten"))]
pub use load::load;
pub use queue::Priority;
pub use seat::child;
pub use serve::serve;
#[cfg(any(feature = "onnx", feature = "rten"))]
pub use tokenize::Tokens;
pub use worker::State;

#[cfg(test)]
mod tests;
