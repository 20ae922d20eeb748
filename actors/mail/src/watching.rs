//! Folders that somebody listens to: each on one connection, however many listen, and on none when nobody does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use imap::{Change, Error};
use supervisor::Tasks;
use tokio::sync::{broadcast, watch};

use crate::post::Post;

/// News that wait for one who is slow; the older ones are passed over, and it is told to look.
const WAITING_MAX: usize = 64;

/// Whether a folder is being watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not yet.
    Trying,
    /// It is.
    Watching,
    /// Not now, and it is tried again.
    Lost(Error),
}

/// The folders of one account that are watched.
pub(crate) struct Watchers {
    post: Post,
    folders: Mutex<BTreeMap<String, Watched>>,
}

#[derive(Clone)]
struct Watched {
    news: broadcast::Sender<Change>,
    status: watch::Receiver<Status>,
}

/// What one who listens has. Its drop ends the listening.
pub(crate) struct Watching {
    news: broadcast::Receiver<Change>,
    status: watch::Receiver<Status>,
}

impl Watchers {
    pub(crate) fn new(post: Post) -> Self {
        Self { post, folders: Mutex::default() }
    }

    /// Begins to listen to a folder.
    ///
    /// # Errors
    /// [`Error::Invalid`] where as many are watched as may be.
    pub(crate) fn watch(self: &Arc<Self>, tasks: &Tasks, folder: &str) -> Result<Watching, Error> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = folders.get(folder) {
            return Ok(Watching { news: watched.news.subscribe(), status: watched.status.clone() });
        }
        let changes = self.post.account().watch(folder)?;
        let (news, listening) = broadcast::channel(WAITING_MAX);
        let (tell, status) = watch::channel(Status::Trying);
        folders.insert(folder.to_owned(), Watched { news: news.clone(), status: status.clone() });
        let (all, folder) = (Arc::clone(self), folder.to_owned());
        tasks.spawn(async move { all.tell(folder, changes, news, tell).await });
        Ok(Watching { news: listening, status })
    }

    /// Tells news until nobody listens.
    async fn tell(
        &self,
        folder: String,
        mut changes: imap::Changes,
        news: broadcast::Sender<Change>,
        status: watch::Sender<Status>,
    ) {
        loop {
            tokio::select! {
                change = changes.next() => {
                    let Some(change) = change else { break };
                    match &change {
                        Change::Watching { .. } => status.send_replace(Status::Watching),
                        Change::Lost(error) => status.send_replace(Status::Lost(error.clone())),
                        _ => Status::Watching,
                    };
                    let _ = news.send(change);
                }
                () = news.closed() => {
                    let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
                    // Somebody may have come in between.
                    if news.receiver_count() == 0 {
                        folders.remove(&folder);
                        return;
                    }
                }
            }
        }
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).remove(&folder);
    }
}

impl Watching {
    /// Waits until it is known whether the folder can be watched.
    pub(crate) async fn begun(&mut self) -> Result<(), Error> {
        let status =
            self.status.wait_for(|status| *status != Status::Trying).await.map(|status| status.clone());
        match status {
            Ok(Status::Watching | Status::Trying) => Ok(()),
            Ok(Status::Lost(error)) => Err(error),
            Err(_) => Err(Error::lost("IDLE", "the account is gone")),
        }
    }

    /// The next news; `None` when there will be none. One who was too slow is told that something may have been missed.
    pub(crate) async fn next(&mut self) -> Option<Change> {
        match self.news.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                Some(Change::Watching { uid_validity: 0, messages: 0, uid_next: None, missed: true })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Keeps listening: so that a folder is watched from the start.
    pub(crate) async fn for_nobody(mut self) {
        while self.next().await.is_some() {}
    }
}
