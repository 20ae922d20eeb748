//! One file per method, and the table of all of them.

mod embed;
mod index_status;
mod reindex;
mod search;
mod similar;
mod unindex;

use protocol::{Context, Entry, Error, entry};

use super::Search;
use crate::path::{ClientPath, VirtualPath};

pub(super) fn all(search: &Search) -> Vec<Entry> {
    vec![
        entry::<search::Find>(search),
        entry::<similar::Similar>(search),
        entry::<embed::Embed>(search),
        entry::<index_status::IndexStatus>(search),
        entry::<unindex::Unindex>(search),
        entry::<reindex::Reindex>(search),
    ]
}

impl Search {
    /// The path of a parameter, which this caller must be able to see.
    fn path(&self, context: &Context, path: &ClientPath) -> Result<VirtualPath, Error> {
        Ok(self.fs.look_up(context, path)?.map_or_else(VirtualPath::top, |place| place.path))
    }

    /// Whether this caller sees all roots.
    fn sees_all(&self, context: &Context) -> bool {
        self.fs.roots().iter().all(|root| root.shown_to(&context.caller.tier))
    }
}
