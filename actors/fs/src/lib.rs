//! The file service: a person's files under virtual roots, confined by handles.
//!
//! A call names a virtual path ([`VirtualPath`], parsed once). It belongs to one of the roots that the caller's
//! tier may see (`roots`), and is opened beneath that root's handle, by the kernel's own confinement (`beneath`).
//! From then on there are only handles: no path is checked first and opened afterwards, links are shown as links
//! and followed only as long as they stay inside, and pipes, sockets and devices are never waited for.
//!
//! A change is one rename of something complete (`draft`, `duplicate`), or one `write` for an append; what is
//! deleted goes to the trash of its root. So whoever reads meanwhile, and whoever comes after a power cut, finds
//! the old or the new. `if_match` conditions hold among all calls of this process (`service`).
//!
//! What it does not do: tell a hard link to a file outside from a file inside (no system can; changing one never
//! changes the other, though), keep extended attributes of files that it replaces, or look into the content of
//! files beyond text search. Nothing here awaits: every method runs on a thread that may block.

mod beneath;
mod config;
mod host;
mod methods;
mod path;
mod roots;
mod service;

// Looking and reading.
mod attributes;
mod content;
mod cursor;
mod entry;
mod files;
mod ignored;
mod lines;
mod mime;
mod names;
mod news;
mod pattern;
mod question;
mod types;
mod walk;
mod warm;
mod watch;
mod written;

// Changing.
mod append;
mod change;
mod draft;
mod duplicate;
mod etag;
mod remove;
mod sweep;
mod trash;

// Finding by content.
mod search;

mod fault;

pub use config::{Mode, Root, Settings};
pub use host::Access;
pub use methods::{methods, search_methods};
pub use path::{BadPath, VirtualPath};
pub use roots::OpenError;
pub use search::{Parts, Search};
pub use service::Fs;
pub use sweep::Swept;

#[cfg(test)]
mod tests;
