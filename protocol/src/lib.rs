//! The words of llmbasedos, shared by every other crate and depending on none of them.
//!
//! Bytes become frames ([`frame`]), frames become requests ([`jsonrpc`]), a request names a method that is
//! declared once ([`method`], collected in a [`catalog`]), travels with its [`context`] to the actor that
//! answers it ([`dispatch`]), and ends in a typed reply or in one of the errors of one table ([`error`]).
//!
//! Nothing here performs I/O, knows an actor or reads a clock for a decision: the same code serves the daemon,
//! the shell, the tests and the fuzzers.

pub mod catalog;
pub mod context;
pub mod dispatch;
pub mod error;
pub mod frame;
pub mod jsonrpc;
pub mod llm;
pub mod mcp;
pub mod method;
mod schema;
pub mod tier;

#[cfg(test)]
mod testing;

pub use catalog::{Catalog, Entry};
pub use context::{Caller, Cancel, Cause, Context, Shape, Way};
pub use dispatch::{
    Common, Conclusion, Credentials, Dispatch, Incoming, Note, Outbox, Part, Payload, Reply, Witness,
};
pub use error::{Code, Error};
pub use jsonrpc::Id;
pub use method::{Effect, Method, Run, TaskSupport, entry};
pub use tier::{Pattern, Tier};
