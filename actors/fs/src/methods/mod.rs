//! One file per method, and the table of all of them.

mod append;
mod copy;
mod delete;
mod edit;
mod embed;
mod empty_trash;
mod find;
mod grep;
mod hash;
mod index_status;
mod list;
mod mkdir;
mod r#move;
mod multi_read;
mod read;
mod reindex;
mod restore;
mod search;
mod similar;
mod stat;
mod trash;
mod tree;
mod unindex;
mod watch;
mod write;

use protocol::{Entry, entry};

use crate::search::Search;
use crate::service::Fs;

/// Every method of the file service but those of the search.
pub fn methods(fs: &Fs) -> Vec<Entry> {
    vec![
        // Look.
        entry::<list::List>(fs),
        entry::<stat::Stat>(fs),
        entry::<tree::Tree>(fs),
        entry::<find::Find>(fs),
        entry::<watch::Watch>(fs),
        // Read.
        entry::<read::Read>(fs),
        entry::<multi_read::MultiRead>(fs),
        entry::<grep::Grep>(fs),
        entry::<hash::Hash>(fs),
        // Change.
        entry::<write::Write>(fs),
        entry::<append::Append>(fs),
        entry::<edit::Edit>(fs),
        entry::<mkdir::Mkdir>(fs),
        entry::<copy::Copy>(fs),
        entry::<r#move::Move>(fs),
        // Delete, and take it back.
        entry::<delete::Delete>(fs),
        entry::<trash::Trash>(fs),
        entry::<restore::Restore>(fs),
        entry::<empty_trash::EmptyTrash>(fs),
    ]
}

/// Every method of finding by what is in files.
pub fn search_methods(search: &Search) -> Vec<Entry> {
    vec![
        entry::<search::Find>(search),
        entry::<similar::Similar>(search),
        entry::<embed::Embed>(search),
        entry::<index_status::IndexStatus>(search),
        entry::<unindex::Unindex>(search),
        entry::<reindex::Reindex>(search),
    ]
}
