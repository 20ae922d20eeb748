//! The file service: a person's files under virtual roots, confined by handles.

mod config;
mod path;
mod roots;
mod beneath;
mod service;
mod methods;
mod files;
mod walk;
mod ignored;
mod pattern;
mod lines;
mod entry;
mod names;
mod attributes;
mod content;
mod cursor;
mod mime;
mod etag;
mod change;
mod append;
mod draft;
mod duplicate;
mod remove;
mod trash;
mod sweep;
mod fault;

pub use config::{Mode, Root, Settings};
pub use methods::methods;
pub use path::{BadPath, VirtualPath};
pub use roots::OpenError;
pub use service::Fs;
pub use sweep::Swept;
