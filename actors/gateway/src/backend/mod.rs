//! Third-party daemons that follow the original's protocol: a capability file and a socket in the run directory.
//!
//! `discovery` watches the folder; every file that describes a service becomes a `link`, an actor that connects
//! with back-off, offers the service's methods while it is connected, and withdraws them when it is not. A
//! backend that is absent is no failure of ours, so it never counts against a restart budget.

mod capfile;
mod discovery;
mod link;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use supervisor::{ChildSpec, Slot, SupervisorSpec};

use crate::routes::Routes;

/// Backends at one time; more than any machine has, fewer than a broken script could make files.
const BACKENDS_MAX: usize = 256;

/// What is told about backends.
#[derive(Clone, Debug)]
pub struct BackendConfig {
    /// Where capability files and sockets are.
    pub dir: PathBuf,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Connections, and so calls under way, per backend.
    pub connections: usize,
    /// The longest answer, in bytes.
    pub answer_max: usize,
    /// Whose daemons are trusted: user ids.
    pub uids: Vec<u32>,
    /// Names that are taken by services of our own.
    pub reserved: Vec<String>,
}

/// The supervisor of discovery and all links.
pub fn supervisor(config: BackendConfig, routes: Routes) -> SupervisorSpec {
    let spec = SupervisorSpec::new("backends").intensity(5, Duration::from_mins(1)).dynamic(BACKENDS_MAX);
    let links = spec.handle();
    let config = Arc::new(config);
    let (slot, known) = (Slot::vacant(), discovery::Known::default());
    spec.child(ChildSpec::worker("discovery", &slot, move |context| {
        let arguments =
            (Arc::clone(&config), routes.clone(), links.clone(), Arc::clone(&known), context.tasks());
        (discovery::Discovery, arguments)
    }))
}
