//! Mail and calendars, safe to hand to a model (`mcp.mail.*`).
//!
//! ```text
//! method -> Mail (accounts, read again when their file changes) -> imap::Account -> the server
//!             |-> parts of messages: bytes -> mime -> text, attachments, calendars -> calendar
//!             `-> the account's actor (keeper): what is sent (outbox, smtp, filing) and what is watched
//! ```
//!
//! Whatever only looks marks nothing as seen, and is the server's answer of that moment: nothing is kept here. UIDs come
//! with the folder's `uid_validity`. All that comes out of a message was written by a stranger, and every result that has
//! some of it says so ([`untrusted`]).

mod account;
mod clerk;
mod conversation;
mod elsewhere;
mod fault;
mod fetching;
mod files;
mod filing;
mod ical;
mod keeper;
mod letter;
mod listing;
mod methods;
mod outbox;
mod parts;
mod post;
mod sending;
mod service;
mod tokens;
mod untrusted;
mod watching;

pub use methods::methods;
pub use service::{Config, Mail};
