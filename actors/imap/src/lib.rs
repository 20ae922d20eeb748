//! Connections to an account's IMAP server: typed questions and answers, pooled, bounded and under deadlines.
//!
//! [`Account`] is a handle that can be asked anything at any time. It opens connections when they are needed, keeps a few,
//! and opens them again when they are lost; every answer comes within a bounded time and takes a bounded amount of memory.
//! Whatever only looks opens folders with EXAMINE and fetches with BODY.PEEK, so that nothing is marked as seen. UIDs come
//! with the folder's UIDVALIDITY, and are refused with [`Error::Stale`] where that has changed.
//!
//! It reads no message (`header` and bodies are bytes), knows no methods and is no actor: whoever owns an account drops
//! it, and what ran for it ends.

mod account;
mod arrivals;
mod body;
mod capabilities;
mod command;
mod connection;
mod deflate;
mod error;
mod flags;
mod folders;
mod frame;
mod hear;
mod idle;
mod lists;
mod login;
mod messages;
mod pool;
mod query;
mod question;
mod raw;
mod reply;
mod search;
mod sieve;
mod structure;
mod tls;
mod token;
mod transfer;
mod transport;
mod utf7;

pub use account::Account;
pub use arrivals::{Arrivals, Seen};
pub use body::{Body, PIECE, Section};
pub use capabilities::Capabilities;
pub use error::{Error, Outcome, clean};
pub use flags::{Change as FlagChange, Flag};
pub use folders::{Count, Counts, Folder, Role};
#[doc(hidden)]
pub use hear::{Heard, hear};
pub use idle::{Change, Changes};
pub use messages::{SUMMARIES_MAX, Summaries, Summary};
pub use query::Query;
pub use raw::Criteria;
pub use search::{Found, Page, Threads};
pub use structure::Part;
pub use token::KeepsToken;
pub use transfer::{Appended, Transferred};
pub use transport::{Server, Transport};

// async-imap writes every command to the log at the level `trace`, passwords among them: that level is compiled out.
const _: () = assert!(matches!(log::STATIC_MAX_LEVEL, log::LevelFilter::Info));
