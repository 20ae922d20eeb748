//! Keeps an actor for each account of the file, and none for those that are gone.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildError, ChildSpec, Slot, SupervisorHandle, SupervisorSpec, Tasks};
use tokio::sync::Notify;

use crate::keeper;
use crate::post::Post;
use crate::service::Mail;

/// More accounts than anybody has, fewer than a broken script could write.
const ACCOUNTS_MAX: usize = 256;

/// Whom it has started. It outlives the actor, as they do.
type Kept = Arc<tokio::sync::Mutex<Vec<Post>>>;

struct Clerk;

/// The supervisor of all accounts. `changed` is raised when there may be others.
pub(crate) fn supervisor(mail: &Mail, changed: &Arc<Notify>) -> SupervisorSpec {
    let spec =
        SupervisorSpec::new("mail-accounts").intensity(5, Duration::from_mins(1)).dynamic(ACCOUNTS_MAX);
    let (accounts, mail, changed) = (spec.handle(), mail.clone(), Arc::clone(changed));
    let kept = Kept::default();
    spec.child(ChildSpec::worker("clerk", &Slot::vacant(), move |context| {
        let arguments =
            (mail.clone(), accounts.clone(), Arc::clone(&kept), Arc::clone(&changed), context.tasks());
        (Clerk, arguments)
    }))
}

impl Actor for Clerk {
    type Msg = ();
    type State = Tasks;
    type Arguments = (Mail, SupervisorHandle, Kept, Arc<Notify>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (mail, accounts, kept, changed, tasks): Self::Arguments,
    ) -> Result<Tasks, ActorProcessingErr> {
        tasks.spawn(async move {
            loop {
                follow(&mail, &accounts, &kept).await;
                changed.notified().await;
            }
        });
        Ok(tasks)
    }
}

/// Stops the actors of accounts that are gone or others by now, and starts those that are missing.
async fn follow(mail: &Mail, accounts: &SupervisorHandle, kept: &Kept) {
    let mut kept = kept.lock().await;
    let wanted: Vec<Post> =
        mail.accounts().values().filter_map(|known| known.as_ref().ok()).cloned().collect();
    for gone in kept.iter().filter(|kept| !wanted.iter().any(|wanted| wanted.is_same(kept))) {
        if let Err(error) = accounts.stop_child(gone.id()).await {
            tracing::debug!(account = gone.id(), %error, "it was not there");
        }
    }
    for post in &wanted {
        match accounts.start_child(keeper::child(post, mail.outbox())).await {
            Ok(()) | Err(ChildError::AlreadyThere(_)) => post.started(),
            Err(error) => {
                tracing::error!(account = post.id(), %error, "an account's actor cannot be started");
            }
        }
    }
    *kept = wanted;
}
