//! What a service manager is told, if one listens: ready, stopping, and that the tree still answers.

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;
use supervisor::Tree;
use tokio::time;

/// Says that callers are answered from now on, and where.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that no call is begun from now on.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what is under way")]);
}

/// For as long as it is awaited: says that the daemon lives, each time that the root of its tree has answered.
///
/// A process whose timers run and whose tree is stuck is not alive: so the question goes to the root itself, and
/// without an answer nothing is said, until the manager loses patience.
pub(crate) async fn keep_saying_so(tree: &Tree, status: impl Fn() -> String) -> Infallible {
    let Some(patience) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    // Half of it, as sd_watchdog_enabled(3) advises.
    let every = patience / 2;
    loop {
        time::sleep(every).await;
        if answers(tree, every).await {
            tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
        } else {
            tracing::error!(?every, "the root of the supervision tree did not answer in time");
        }
    }
}

/// Whether the root of the tree takes a message and answers it.
async fn answers(tree: &Tree, within: Duration) -> bool {
    let Some(root) = tree.supervisor("root") else { return false };
    matches!(time::timeout(within, root.children()).await, Ok(Ok(_)))
}

fn tell(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::warn!(%error, "cannot tell the service manager");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use ractor::{Actor, ActorProcessingErr, ActorRef};
    use supervisor::{ChildSpec, Slot, SupervisorSpec};

    use super::*;

    /// Starts at once the first time, and never again: its supervisor is busy with that.
    struct Stuck(Arc<AtomicBool>);

    impl Actor for Stuck {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            if self.0.swap(true, Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_root_that_is_stuck_does_not_answer() {
        let (slot, started) = (Slot::vacant(), Arc::new(AtomicBool::new(false)));
        let child = ChildSpec::worker("stuck", &slot, move |_| (Stuck(Arc::clone(&started)), ()));
        let tree = supervisor::start(SupervisorSpec::new("root").child(child)).await.unwrap();
        assert!(answers(&tree, Duration::from_secs(30)).await);
        tree.kill("stuck").unwrap();
        // From the moment that it restarts the child, the root hears nobody.
        while answers(&tree, Duration::from_millis(20)).await {
            tokio::task::yield_now().await;
        }
        assert!(!answers(&tree, Duration::from_millis(20)).await);
    }
}
