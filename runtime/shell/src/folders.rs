//! Remote directories for completion: asked for under a deadline and remembered for a few seconds, so that Tab
//! answers at once or not at all. Two halves: [`Folders`] is held by the editor's thread, [`serve`] runs beside the
//! connection.

use std::collections::HashMap;
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::builtins::Entry;
use crate::client::{Client, Link};
use crate::complete::Name;
use crate::session::held;

/// Longer, and a person thinks that the key did not work.
const DEADLINE: Duration = Duration::from_millis(300);
/// Long enough for the second Tab, too short to offer what is long gone.
const FRESH: Duration = Duration::from_secs(5);
/// Where even a late answer is not worth having any more.
const GIVE_UP: Duration = Duration::from_secs(5);
/// More names than this do not help anybody to choose.
const NAMES_MAX: usize = 500;

type Cache = Arc<Mutex<HashMap<String, (Instant, Vec<Name>)>>>;

/// A directory, and who waits to hear that it is in the cache.
pub(crate) struct Ask {
    path: String,
    ready: blocking::Sender<()>,
}

#[derive(Clone)]
pub(crate) struct Folders {
    client: Client,
    asks: mpsc::Sender<Ask>,
    cache: Cache,
}

impl Folders {
    /// The editor's half, and the task that must run for it to learn anything.
    pub(crate) fn new(client: Client) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (asks, receiver) = mpsc::channel(1);
        let cache = Cache::default();
        (Self { client: client.clone(), asks, cache: cache.clone() }, serve(client, receiver, cache))
    }

    /// What is in a directory. Blocks for at most [`DEADLINE`]; an answer that comes later serves the next Tab.
    pub(crate) fn list(&self, path: &str) -> Vec<Name> {
        if let Some((at, names)) = held(&self.cache).get(path)
            && at.elapsed() < FRESH
        {
            return names.clone();
        }
        if !matches!(self.client.link(), Link::Up { .. }) {
            return Vec::new();
        }
        let (ready, wait) = blocking::channel();
        if self.asks.try_send(Ask { path: path.to_owned(), ready }).is_err()
            || wait.recv_timeout(DEADLINE).is_err()
        {
            return Vec::new();
        }
        held(&self.cache).get(path).map(|(_, names)| names.clone()).unwrap_or_default()
    }

    /// A command ran: what was remembered may be wrong.
    pub(crate) fn forget(&self) {
        held(&self.cache).clear();
    }
}

async fn serve(client: Client, mut asks: mpsc::Receiver<Ask>, cache: Cache) {
    while let Some(ask) = asks.recv().await {
        if let Ok(Some(names)) = tokio::time::timeout(GIVE_UP, names(&client, &ask.path)).await {
            held(&cache).insert(ask.path, (Instant::now(), names));
        }
        let _ = ask.ready.send(());
    }
}

/// The names in a directory, page after page; `None` when it cannot be read, which is no news for a Tab.
async fn names(client: &Client, path: &str) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    let mut params = json!({ "path": path, "limit": NAMES_MAX });
    loop {
        let answer = client.call("mcp.fs.list", &params).await.ok()?;
        let entries = answer["entries"].as_array()?.iter().filter_map(|entry| Entry::deserialize(entry).ok());
        let before = names.len();
        names.extend(entries.map(|entry| Name { is_folder: entry.is_folder(), name: entry.name }));
        match answer.get("next_cursor").filter(|cursor| !cursor.is_null()) {
            Some(cursor) if (before + 1..NAMES_MAX).contains(&names.len()) => {
                params["cursor"] = cursor.clone();
            }
            _ => return Some(names),
        }
    }
}
