//! Every setting of llmbasedos: its default, its documentation and its check.
//!
//! [`load()`] reads the command line's flags, the environment, `llmbasedos.yaml` and `licence_tiers.yaml`, in that
//! order of priority, and answers with [`Settings`] and [`Tiers`], or with every [`Mistake`] in all of them at
//! once. The fields of [`Settings`] are the only declaration of a setting: [`reference()`], [`schema`], the
//! [`template()`] that [`init()`] lays out, and the names of the environment variables are derived from them.
//!
//! It opens no sockets, starts no threads, and reads nothing but the files named above and those that secrets
//! refer to.

pub mod document;
pub mod effective;
pub mod fs;
pub mod mail;
pub mod models;
mod settings;
pub mod tiers;

mod agent;
mod check;
mod environment;
mod file;
mod init;
mod lent;
mod licence;
mod listen;
mod load;
mod mistake;
mod nearest;
mod origin;
mod reference;
mod references;
mod search;
mod secret;
mod shape;
mod sync;
mod template;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

pub use agent::Agent;
pub use effective::{Effective, effective};
pub use environment::Environment;
pub use init::{Created, InitError, init};
pub use lent::Lent;
pub use licence::Licence;
pub use listen::Listen;
pub use load::{Flags, Loaded, load};
pub use mistake::{Mistake, Mistakes};
pub use origin::{Origins, Source};
pub use reference::{reference, schema};
pub use search::Search;
pub use secret::Secret;
pub use settings::{Auth, Backends, Limits, Log, LogFormat, Loopback, Mail, Settings};
pub use sync::Sync;
pub use template::template;
pub use tiers::{AllowedModels, Tier, Tiers};
