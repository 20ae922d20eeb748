//! The shell's end of the conversation with the daemon. Everyone else holds a [`Client`], which is cheap to clone
//! and outlives any number of connections; a dropped [`Call`] is a cancelled call.

mod backoff;
mod connection;
mod message;
mod target;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub(crate) use self::target::Target;

use self::connection::{Command, Connection, Job};
use crate::failure::Failure;
use crate::token::TokenSource;

/// A person starts one command at a time; completion adds one call more.
const COMMANDS_MAX: usize = 16;
/// News that may wait for a slow terminal before the server is slowed down.
const NEWS_MAX: usize = 64;

/// Whom to call and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) target: Target,
    pub(crate) token: TokenSource,
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Link {
    Connecting,
    /// `epoch` counts connections: what was learnt under another one may be stale.
    Up {
        epoch: u64,
    },
    Down {
        reason: String,
    },
}

/// What is heard of a call.
#[derive(Debug)]
pub(crate) enum News {
    Progress(Value),
    Done(Result<Value, Failure>),
}

/// A way to call; clones share one connection.
#[derive(Clone)]
pub(crate) struct Client {
    commands: mpsc::Sender<Command>,
    link: watch::Receiver<Link>,
    last_id: Arc<AtomicU64>,
    /// The connection's task, which ends with the last clone.
    _task: Arc<JoinSet<()>>,
}

/// A call under way. Dropping it before it is done tells the server to stop.
pub(crate) struct Call {
    id: u64,
    news: mpsc::Receiver<News>,
    commands: mpsc::Sender<Command>,
    done: bool,
}

// === impl Client ===

impl Client {
    /// Starts to connect and returns at once; the first call waits for the outcome.
    pub(crate) fn open(endpoint: Endpoint) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (sender, link) = watch::channel(Link::Connecting);
        let connection = Connection {
            endpoint,
            commands: receiver,
            link: sender,
            waiting: Vec::new(),
            dials: Vec::new(),
            pending: HashMap::new(),
        };
        let mut task = JoinSet::new();
        task.spawn(connection.run());
        Self { commands, link, last_id: Arc::default(), _task: Arc::new(task) }
    }

    /// Sends a call. Without a connection this tries to make one first, at once.
    pub(crate) async fn start(&self, method: &str, params: &Value) -> Result<Call, Failure> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, news) = mpsc::channel(NEWS_MAX);
        let job = Job { id, text: message::request(id, method, params), news: sender };
        self.commands.send(Command::Call(job)).await.map_err(|_| gone())?;
        Ok(Call { id, news, commands: self.commands.clone(), done: false })
    }

    /// Sends a call and waits for its answer, passing over news.
    pub(crate) async fn call(&self, method: &str, params: &Value) -> Result<Value, Failure> {
        let mut call = self.start(method, params).await?;
        loop {
            if let News::Done(outcome) = call.next().await {
                return outcome;
            }
        }
    }

    /// Leaves the present connection, if any, and connects to `endpoint`.
    pub(crate) async fn dial(&self, endpoint: Endpoint) -> Result<(), Failure> {
        let (reply, outcome) = oneshot::channel();
        self.commands.send(Command::Dial(endpoint, reply)).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// The same without waiting for the outcome.
    pub(crate) async fn redial(&self, endpoint: Endpoint) {
        let (reply, _) = oneshot::channel();
        let _ = self.commands.send(Command::Dial(endpoint, reply)).await;
    }

    /// Says goodbye, so that the server sees an end and no accident.
    pub(crate) async fn close(&self) {
        /// A server that does not read is not worth a longer wait.
        const PATIENCE: Duration = Duration::from_millis(200);
        let (reply, done) = oneshot::channel();
        if self.commands.try_send(Command::Close(reply)).is_ok() {
            let _ = tokio::time::timeout(PATIENCE, done).await;
        }
    }

    pub(crate) fn link(&self) -> Link {
        self.link.borrow().clone()
    }

    /// The link's state as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }
}

fn gone() -> Failure {
    Failure::Connection("the connection was lost".into())
}

// === impl Call ===

impl Call {
    /// The next thing heard; after [`News::Done`] there is nothing more to hear.
    pub(crate) async fn next(&mut self) -> News {
        let news = self.news.recv().await.unwrap_or_else(|| News::Done(Err(gone())));
        self.done |= matches!(news, News::Done(_));
        news
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.done {
            // Without room for one more command the connection is gone or as good as gone, and a connection
            // that goes takes its calls with it.
            let _ = self.commands.try_send(Command::Cancel(self.id));
        }
    }
}
