//! How many requests are under way at one time: in all, and at one server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Idle servers are forgotten when so many are known.
const SERVERS_MAX: usize = 256;

/// Places for requests.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    each: usize,
    servers: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A request's place; it is free again when this is dropped.
pub(crate) struct Place {
    _all: OwnedSemaphorePermit,
    _server: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all.max(1))),
            each: each.max(1),
            servers: Mutex::new(HashMap::new()),
        }
    }

    /// Waits for a place at `server`; its own first, so that one slow server does not hold all of them.
    pub(crate) async fn take(&self, server: &str) -> Place {
        let own = self.server(server);
        let never = "places are never closed";
        let server = own.acquire_owned().await.expect(never);
        let all = Arc::clone(&self.all).acquire_owned().await.expect(never);
        Place { _all: all, _server: server }
    }

    fn server(&self, server: &str) -> Arc<Semaphore> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.get(server).and_then(Weak::upgrade) {
            return known;
        }
        if servers.len() >= SERVERS_MAX {
            servers.retain(|_, places| places.strong_count() > 0);
        }
        let places = Arc::new(Semaphore::new(self.each));
        servers.insert(server.to_owned(), Arc::downgrade(&places));
        places
    }
}
