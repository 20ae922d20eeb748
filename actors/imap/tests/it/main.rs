//! The client against a real Dovecot, against one whose line breaks, and against servers that answer nonsense.

#![expect(clippy::unwrap_used, reason = "these are tests; clippy sees the helpers among them as code")]

mod compression;
mod connecting;
mod dovecot;
mod fake;
mod faults;
mod folders;
mod idle;
mod large;
mod messages;
mod nonsense;
mod oauth;
mod proxy;
mod searching;
mod tokens;
mod transfers;
