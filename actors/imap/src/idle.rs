//! News of a folder as they come (RFC 2177), and by asking where the server cannot tell them.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::account::Account;
use crate::command::Command;
use crate::connection::{Access, Connection, Mailbox, News};
use crate::error::Error;
use crate::pool::Pool;
use crate::reply::Reply;

/// Folders that are watched at one time, each on a connection: servers allow ten or so for each user.
pub(crate) const WATCHED_MAX: usize = 8;
/// News that wait for whoever watches; one who is slower than that finds them together.
const WAITING_MAX: usize = 64;
/// IDLE is begun anew so often: routers forget a silent connection within a quarter of an hour, servers within half.
const AGAIN_AFTER: Duration = Duration::from_mins(9);
/// A server that cannot tell is asked so often.
const ASK_EVERY: Duration = Duration::from_mins(1);

/// Something happened to a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is being watched, from now on: what happened before must be looked for. Comes first, and after each loss.
    Watching {
        /// Its UIDVALIDITY.
        uid_validity: u32,
        /// How many messages it has.
        messages: u32,
        /// The UID that the next one will have at least, where the server says it.
        uid_next: Option<u32>,
        /// Whether something may have happened while it was not watched. Not so where the server numbers its changes
        /// (CONDSTORE, RFC 7162) and there was none, and never the first time.
        missed: bool,
    },
    /// Messages came: there are so many now.
    Arrived {
        /// How many messages it has.
        messages: u32,
    },
    /// Messages are gone.
    Removed,
    /// Flags of messages changed.
    Flags,
    /// It cannot be watched for now; it is tried again without being asked.
    Lost(Error),
}

/// News of one folder. Nothing is watched any more when it is dropped.
#[derive(Debug)]
pub struct Changes {
    news: mpsc::Receiver<Change>,
    /// Ends the watching with it.
    _watch: Watch,
}

/// A task that ends when this is dropped.
#[derive(Debug)]
struct Watch(tokio::task::AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Changes {
    /// The next news; `None` when the account is gone.
    pub async fn next(&mut self) -> Option<Change> {
        self.news.recv().await
    }
}

impl Account {
    /// Watches a folder, on a connection of its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] where as many folders are watched as may be at one time, which is eight.
    pub fn watch(&self, folder: &str) -> Result<Changes, Error> {
        let permit = Arc::clone(&self.0.watchers).try_acquire_owned();
        let permit =
            permit.map_err(|_| Error::invalid(format!("{WATCHED_MAX} folders are watched already")))?;
        let (sender, news) = mpsc::channel(WAITING_MAX);
        let (folder, wire) = (folder.to_owned(), self.wire_name(folder));
        let pool = Arc::clone(&self.0.pool);
        let task = self.0.tasks.spawn(async move {
            let _permit = permit;
            watch(pool, folder, wire, sender).await;
        });
        Ok(Changes { news, _watch: Watch(task) })
    }
}

/// Watches until nobody listens.
async fn watch(pool: Arc<Pool>, folder: String, wire: String, sender: mpsc::Sender<Change>) {
    let patience = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_mins(2))
        .with_jitter()
        .without_max_times();
    let mut delays = patience.build();
    let mut before = None;
    loop {
        let mut seen = None;
        let Err(error) = watch_once(&pool, &folder, &wire, &sender, before.as_ref(), &mut seen).await else {
            return;
        };
        if seen.is_some() {
            delays = patience.build();
            before = seen;
        }
        if sender.send(Change::Lost(error)).await.is_err() {
            return;
        }
        sleep(delays.next().unwrap_or(ASK_EVERY)).await;
    }
}

/// Watches on one connection: `Ok` when nobody listens any more.
async fn watch_once(
    pool: &Pool,
    folder: &str,
    wire: &str,
    sender: &mpsc::Sender<Change>,
    before: Option<&Mailbox>,
    seen: &mut Option<Mailbox>,
) -> Result<(), Error> {
    let mut connection = pool.connect().await?;
    let mailbox = connection.select(folder, wire, Access::Watch, None, News::Wanted).await?;
    let (uid_validity, messages, uid_next) = (mailbox.uid_validity, mailbox.exists, mailbox.uid_next);
    // The same number of the latest change, in the same folder: there was none.
    let missed = before.is_some_and(|before| before != &mailbox || mailbox.latest.is_none());
    *seen = Some(mailbox);
    let mut told = Told { sender, messages };
    if sender.send(Change::Watching { uid_validity, messages, uid_next, missed }).await.is_err() {
        return Ok(());
    }
    if !connection.capabilities.has("IDLE") {
        return ask(connection, &mut told).await;
    }
    loop {
        connection.idle().await?;
        // From its beginning on: words that only say that the server is still there put nothing off.
        let again = Instant::now() + AGAIN_AFTER;
        while let Ok(news) = timeout_at(again, connection.news()).await {
            if told.tell(&news?).await.is_err() {
                return Ok(());
            }
        }
        for late in connection.end_idle().await? {
            if told.tell(&late).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Asks every minute.
async fn ask(mut connection: Connection, told: &mut Told<'_>) -> Result<(), Error> {
    loop {
        let answer = connection.run(Command::new("NOOP")).await?;
        for news in &answer.replies {
            if told.tell(news).await.is_err() {
                return Ok(());
            }
        }
        sleep(ASK_EVERY).await;
    }
}

/// Whom to tell, and what was told.
struct Told<'a> {
    sender: &'a mpsc::Sender<Change>,
    messages: u32,
}

impl Told<'_> {
    /// Tells what a reply means, if it means anything. An error: nobody listens.
    async fn tell(&mut self, reply: &Reply) -> Result<(), mpsc::error::SendError<Change>> {
        let change = match reply {
            Reply::Exists(messages) => {
                let more = *messages > self.messages;
                self.messages = *messages;
                more.then_some(Change::Arrived { messages: *messages })
            }
            Reply::Gone => {
                self.messages = self.messages.saturating_sub(1);
                Some(Change::Removed)
            }
            Reply::Message(_) => Some(Change::Flags),
            _ => None,
        };
        match change {
            Some(change) => self.sender.send(change).await,
            None => Ok(()),
        }
    }
}
