//! What files say, read in a process that can do nothing else.
//!
//! ```text
//! Reader (a file, what is known of it) -> Remote -> pipe -> llmbasedos-embed: confine, then serve -> Local -> text
//!                                          \ or Local, in the caller's own process: tests
//! ```
//!
//! Files are other people's, and so are most of the readers of their formats. The process that reads them has its pipe and
//! memory up to a bound; no file, socket or other process can be had from inside (decision 0016). One that crashes or
//! hangs costs the file that did it, and the daemon has neither the files' bytes nor the readers' code in its memory.

mod confine;
mod document;
mod local;
mod message;
mod remote;
mod serve;

pub use confine::confine;
pub use document::{Ask, Content, Document, Piece, ReadError, Reader, Tokenize};
pub use local::Local;
pub use remote::Remote;
pub use serve::serve;

#[cfg(test)]
mod tests;
