//! One file per method, and the table of all of them.

mod actor;
mod config;
mod events;
mod health;
mod loglevel;
mod restart;
mod stats;
mod tree;

use protocol::{Code, Entry, Error, entry};

use crate::Admin;

/// All methods, in reading order.
pub fn methods(admin: &Admin) -> Vec<Entry> {
    vec![
        entry::<tree::ShowTree>(admin),
        entry::<actor::ShowActor>(admin),
        entry::<restart::RestartActor>(admin),
        entry::<events::Events>(admin),
        entry::<config::ShowConfig>(admin),
        entry::<loglevel::Loglevel>(admin),
        entry::<health::Health>(admin),
        entry::<stats::ShowStats>(admin),
    ]
}

/// No actor has this name, or several have.
fn no_such_actor(id: &str) -> Error {
    let shown: String = id.chars().take(100).collect();
    Error::new(
        Code::InvalidParams,
        format!("'{shown}' is not the path of an actor, nor the last part of just one. See mcp.admin.tree."),
    )
}
