//! Workflows as a person writes them: what a file may say, what is wrong with it and at which line, what its expressions
//! come to, and when a schedule is due. Pure: files, clocks and randomness are arguments.
//!
//! [`read`] makes a [`Workflow`] of a file's text, in the documented form ([`model`]) or in one of the original's four,
//! which are translated into the same model. [`expr`] evaluates templates and conditions in a [`Scope`]; what it puts into
//! a text is data, and never looked at again.

pub mod expr;
pub mod inputs;
pub mod mask;
pub mod model;
pub mod patience;
pub mod schedule;

mod check;
mod clock;
mod names;
mod original;
mod read;
mod references;
mod span;
mod walk;

pub use expr::Scope;
pub use model::{Kind, Step, Workflow};
pub use read::{form, read, schema};
pub use span::Span;
