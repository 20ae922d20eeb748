//! The methods, one file each.

mod get;
mod list;

use protocol::{Entry, entry};

use crate::Prompts;

/// Every method of this service.
pub fn methods(prompts: &Prompts) -> Vec<Entry> {
    vec![entry::<list::List>(prompts), entry::<get::Get>(prompts)]
}
