//! What the first process of a container owes the others: the kernel gives it every orphan, and leaves a dead one there
//! until it is waited for.

use std::convert::Infallible;

use rustix::process::getpid;
use tokio::signal::unix::{SignalKind, signal};

/// Buries orphans for as long as this is process 1; anywhere else (systemd, `docker run --init`, a terminal) there are
/// none.
pub(crate) async fn bury_for_ever() -> Infallible {
    if getpid().is_init() {
        match signal(SignalKind::child()) {
            Ok(mut ended) => while ended.recv().await.is_some() && bury() {},
            Err(error) => tracing::warn!(%error, "the dead are not buried: no signal tells of them"),
        }
    }
    std::future::pending().await
}

/// Whether there is a way to.
fn bury() -> bool {
    match subprocess::bury_orphans() {
        Ok(buried) => {
            tracing::debug!(buried, "orphans");
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the dead are not buried: /proc does not say who they are");
            false
        }
    }
}
