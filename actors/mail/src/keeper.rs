//! The actor of one account: it sends what the account sends, files the copies, and watches folders for whoever listens.
//!
//! All of that are tasks of its own, so that a caller who goes away, or is in a hurry, leaves no message half handed over:
//! the work goes on as long as the account does. It waits for nothing itself.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use protocol::Error;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{ChildSpec, Tasks};
use tokio::sync::{Notify, oneshot};

use crate::filing;
use crate::outbox::Outbox;
use crate::post::Post;
use crate::sending::{self, Job, Sent};
use crate::watching::{Watchers, Watching};

/// How long a message that is being handed over may take until its server has answered when the daemon stops. What takes
/// longer is in doubt afterwards.
const DRAIN: Duration = Duration::from_secs(5);

/// What an account's actor is asked.
pub(crate) enum Ask {
    /// To send a message.
    Send(Box<Job>, oneshot::Sender<Result<Sent, Error>>),
    /// To watch a folder.
    Watch(String, oneshot::Sender<Result<Watching, imap::Error>>),
}

pub(crate) struct Keeper;

pub(crate) struct State {
    post: Post,
    outbox: Option<Outbox>,
    /// Raised when there is something to file.
    to_file: Arc<Notify>,
    watchers: Arc<Watchers>,
    tasks: Arc<Tasks>,
}

/// The account as a child.
pub(crate) fn child(post: &Post, outbox: Option<&Outbox>) -> ChildSpec {
    let (kept, outbox) = (post.clone(), outbox.cloned());
    let spec = ChildSpec::worker(post.id(), post.slot(), move |context| {
        (Keeper, (kept.clone(), outbox.clone(), context.tasks()))
    });
    let shown = post.clone();
    spec.shutdown(DRAIN + Duration::from_secs(1)).note(move || Some(shown.note()))
}

impl Actor for Keeper {
    type Msg = Ask;
    type State = State;
    type Arguments = (Post, Option<Outbox>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<Ask>,
        (post, outbox, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        post.renew();
        let (to_file, tasks) = (Arc::<Notify>::default(), Arc::new(tasks));
        if let Some(outbox) = outbox.clone() {
            tasks.spawn(file_for_ever(post.clone(), outbox, Arc::clone(&to_file)));
        }
        let watchers = Arc::new(Watchers::new(post.clone()));
        for folder in &post.settings().idle_folders {
            // It cannot be more than may be: the settings have as many at most.
            if let Ok(watching) = watchers.watch(&tasks, folder) {
                tasks.spawn(watching.for_nobody());
            }
        }
        Ok(State { post, outbox, to_file, watchers, tasks })
    }

    async fn handle(&self, _: ActorRef<Ask>, ask: Ask, state: &mut State) -> Result<(), ActorProcessingErr> {
        match ask {
            Ask::Watch(folder, reply) => {
                let _ = reply.send(state.watchers.watch(&state.tasks, &folder));
            }
            Ask::Send(job, reply) => {
                let (post, outbox, to_file) =
                    (state.post.clone(), state.outbox.clone(), Arc::clone(&state.to_file));
                state.tasks.spawn(async move {
                    let sent = match outbox {
                        Some(outbox) => sending::send(&post, &outbox, &to_file, *job).await,
                        None => Err(Error::unavailable("mail")),
                    };
                    let _ = reply.send(sent);
                });
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Ask>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(outbox) = &state.outbox {
            outbox.idle(DRAIN).await;
        }
        Ok(())
    }
}

/// Files copies: what is left from earlier, and what comes.
async fn file_for_ever(post: Post, outbox: Outbox, to_file: Arc<Notify>) {
    let patience = ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_mins(10))
        .with_jitter()
        .without_max_times();
    let mut delays = patience.build();
    if let Err(error) = outbox.settle(post.id()).await {
        tracing::warn!(account = post.id(), %error, "what became of the last messages cannot be written down");
    }
    loop {
        match filing::file(&post, &outbox).await {
            Ok(()) => {
                delays = patience.build();
                to_file.notified().await;
            }
            Err(why) => {
                let wait = delays.next().unwrap_or(Duration::from_mins(10));
                tracing::warn!(account = post.id(), ?wait, "a copy of what was sent is not filed yet: {why}");
                // News cannot make a server answer that just did not; they only make it worth another try.
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = to_file.notified() => {}
                }
            }
        }
    }
}
