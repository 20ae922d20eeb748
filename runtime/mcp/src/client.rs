//! What a legacy connection remembers of its client, and the questions it was asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use protocol::jsonrpc::Response;
use protocol::mcp::{Capabilities, LogLevel, Revision};
use protocol::{Caller, Id};
use serde_json::{Value, json};
use supervisor::Tasks;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Takes messages that belong to no request. They may be dropped under pressure.
pub trait Channel: Send + Sync {
    /// Sends one.
    fn push(&self, message: String);
}

/// A client that opened with `initialize`, or may yet do so.
pub struct Client {
    /// Who it is.
    pub caller: Arc<Caller>,
    state: Mutex<State>,
    channel: OnceLock<Weak<dyn Channel>>,
    questions: AtomicU64,
    /// What goes on beside requests: subscriptions, changes of lists. Ends with the client.
    tasks: OnceLock<Tasks>,
}

#[derive(Default)]
struct State {
    /// Set by `initialize`.
    session: Option<Session>,
    asked: HashMap<i128, oneshot::Sender<Result<Value, Value>>>,
    subscriptions: HashMap<String, AbortHandle>,
    /// It is told of changed lists.
    told: bool,
}

/// What `initialize` settled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) revision: Revision,
    pub(crate) capabilities: Capabilities,
    pub(crate) log_level: LogLevel,
}

impl Client {
    /// A client of whom nothing is known yet.
    pub fn new(caller: Arc<Caller>) -> Self {
        Self {
            caller,
            state: Mutex::default(),
            channel: OnceLock::new(),
            questions: AtomicU64::new(0),
            tasks: OnceLock::new(),
        }
    }

    /// Where messages go that belong to no request. Told once, by the transport.
    pub fn connect(&self, channel: Weak<dyn Channel>) {
        let _ = self.channel.set(channel);
    }

    /// The revision that was settled on, once it was.
    pub fn revision(&self) -> Option<Revision> {
        self.session().map(|session| session.revision)
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.state().session
    }

    pub(crate) fn open(&self, session: Session) {
        self.state().session = Some(session);
    }

    pub(crate) fn set_log_level(&self, level: LogLevel) {
        if let Some(session) = &mut self.state().session {
            session.log_level = level;
        }
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        self.tasks.get_or_init(|| Tasks::named("mcp-client"))
    }

    /// Sends a message that belongs to no request.
    pub(crate) fn push(&self, message: String) {
        if let Some(channel) = self.channel.get().and_then(Weak::upgrade) {
            channel.push(message);
        }
    }

    /// A request of ours as text, and where its answer will be.
    pub(crate) fn question(&self, method: &str, params: &Value) -> (String, Question<'_>) {
        let id = self.questions.fetch_add(1, Ordering::Relaxed);
        let number = i128::from(id);
        let (tell, answer) = oneshot::channel();
        self.state().asked.insert(number, tell);
        let text = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        (text.to_string(), Question { client: self, number, answer })
    }

    /// Takes the answer to a request of ours; one that was not asked is nobody's.
    pub fn answered(&self, response: Response) {
        let Id::Integer(number) = response.id else { return };
        if let Some(tell) = self.state().asked.remove(&number) {
            let _ = tell.send(response.outcome);
        }
    }

    /// Keeps what watches a resource; what watched it before is stopped.
    pub(crate) fn subscribed(&self, uri: String, watching: AbortHandle) {
        if let Some(before) = self.state().subscriptions.insert(uri, watching) {
            before.abort();
        }
    }

    /// Whether this is the first time that it asks to be told of changed lists.
    pub(crate) fn tell(&self) -> bool {
        !std::mem::replace(&mut self.state().told, true)
    }

    /// How many resources are watched.
    pub(crate) fn subscriptions(&self) -> usize {
        self.state().subscriptions.len()
    }

    /// Stops watching a resource.
    pub(crate) fn unsubscribed(&self, uri: &str) {
        if let Some(watching) = self.state().subscriptions.remove(uri) {
            watching.abort();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of ours that waits for its answer; forgotten when it is dropped.
pub(crate) struct Question<'a> {
    client: &'a Client,
    number: i128,
    answer: oneshot::Receiver<Result<Value, Value>>,
}

impl Question<'_> {
    /// The answer: the result, or the client's error. `None` when the client went away.
    pub(crate) async fn answer(&mut self) -> Option<Result<Value, Value>> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.client.state().asked.remove(&self.number);
    }
}
