//! A process of ours that is asked over its pipe, with a deadline for every answer.
//!
//! What may take much memory, hang or crash (a model, other people's PDFs) is in such a process: ending it gives
//! everything back, and its crash is an error of one call. Frames on its standard input and output are all that it
//! speaks; it sees none of the daemon's variables, among which are keys, and it ends with whoever started it.

mod child;
pub mod frame;
mod inside;
mod patient;
mod started;

pub use child::{Child, Ended};
pub use inside::{be_a_child, panic_text};
pub use started::{Started, bury_orphans, start};

#[cfg(test)]
mod tests;
