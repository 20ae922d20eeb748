//! The supervision tree, as one declaration. `mcp.admin.tree` shows it live.
//!
//! ```text
//! root               one_for_one, 3 restarts in 60 s, then an orderly exit with a code that has us restarted
//! |- services        fs, mail, sync, admin, prompts, llm, agent, sweeper, embedding, index, rclone, sync-jobs,
//! |                  prompts-watch, models-watch, mail-accounts-watch, workflows-watch, mail-accounts (clerk, and an
//! |                  actor for each account), agent-runs (agent-clerk, agent-clock, and an actor for each run)
//! |- backends        discovery, and a link per third-party daemon
//! |- gateway         ledger, auth
//! `- edges           sessions (one per connection, temporary), http, a listener per UNIX socket
//! ```
//!
//! Started downwards, drained upwards. `one_for_one` at the root, because nobody holds anybody's address: they
//! hold slots, so the layers above survive the restart of one below (runtime/decisions/0001).

use std::time::Duration;

use supervisor::{ChildSpec, Strategy, SupervisorSpec};

/// The branches of the tree.
pub(crate) struct Branches {
    pub(crate) services: Vec<ChildSpec>,
    pub(crate) backends: Option<SupervisorSpec>,
    pub(crate) gateway: SupervisorSpec,
    pub(crate) edges: SupervisorSpec,
}

pub(crate) fn root(branches: Branches) -> SupervisorSpec {
    let services = branches
        .services
        .into_iter()
        .fold(SupervisorSpec::new("services").intensity(5, Duration::from_mins(1)), SupervisorSpec::child);
    let mut root = SupervisorSpec::new("root")
        .strategy(Strategy::OneForOne)
        .intensity(3, Duration::from_mins(1))
        .child(ChildSpec::supervisor(services));
    if let Some(backends) = branches.backends {
        root = root.child(ChildSpec::supervisor(backends));
    }
    root.child(ChildSpec::supervisor(branches.gateway)).child(ChildSpec::supervisor(branches.edges))
}
