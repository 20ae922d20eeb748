//! Real clients against the real process: the official SDKs, the Inspector and the conformance suite.
//!
//! They are other people's programs, so what they take for granted is not what we do. Every message that goes by is
//! held against the official schema of its revision too.

mod conformance;
mod inspector;
mod openai;
mod report;
mod schema;
mod sdks;
