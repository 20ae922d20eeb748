//! A connection that is made anew when it ends, as any client's is.

use std::path::PathBuf;
use std::time::Duration;

use harness::client::gone;
use harness::{Answer, Client, Daemon, PATIENCE};
use serde_json::Value;
use tokio::sync::Mutex;

/// Between two attempts to connect; it only keeps a client without a server from spinning.
const PAUSE: Duration = Duration::from_millis(1);

/// A way into a daemon.
#[derive(Clone)]
pub(crate) enum Door {
    /// The WebSocket, with the owner's token.
    Ws {
        /// Its address.
        url: String,
        /// The token.
        token: String,
    },
    /// A UNIX socket.
    Unix(PathBuf),
}

/// A connection through a door, and its successors.
pub(crate) struct Line {
    door: Door,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    number: u64,
    client: Option<Client>,
}

// === impl Door ===

impl Door {
    /// The WebSocket of `daemon`.
    pub(crate) fn ws(daemon: &Daemon) -> Self {
        Self::Ws { url: daemon.url(), token: daemon.token() }
    }

    /// The socket `NAME.sock` of `daemon`.
    pub(crate) fn unix(daemon: &Daemon, name: &str) -> Self {
        Self::Unix(daemon.dir().join("run").join(format!("{name}.sock")))
    }

    /// Connects; `None` when that fails.
    pub(crate) async fn connect(&self) -> Option<Client> {
        let connecting = async {
            match self {
                Self::Ws { url, token } => Client::ws(url, Some(token)).await.ok(),
                Self::Unix(path) => Client::unix(path).await.ok(),
            }
        };
        tokio::time::timeout(PATIENCE, connecting).await.expect("whoever knocks is answered")
    }
}

// === impl Line ===

impl Line {
    pub(crate) fn new(door: Door) -> Self {
        Self { door, current: Mutex::default() }
    }

    /// Calls on the connection there is, or on a new one; at its end the call's answer is [`gone`].
    pub(crate) async fn call(&self, method: &str, params: Value) -> Answer {
        let (number, client) = self.client().await;
        let answer = client.call(method, params).await;
        if answer == Err(gone()) {
            let mut current = self.current.lock().await;
            if current.number == number {
                current.client = None;
            }
        }
        answer
    }

    /// Calls until it succeeds: for those who watch, not for those whose losses count.
    pub(crate) async fn eventually(&self, method: &str, params: Value) -> Value {
        let trying = async {
            loop {
                if let Ok(result) = self.call(method, params.clone()).await {
                    return result;
                }
            }
        };
        tokio::time::timeout(PATIENCE, trying).await.unwrap_or_else(|_| panic!("never came back: {method}"))
    }

    async fn client(&self) -> (u64, Client) {
        let mut current = self.current.lock().await;
        loop {
            if let Some(client) = &current.client {
                return (current.number, client.clone());
            }
            current.number += 1;
            current.client = self.door.connect().await;
            if current.client.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
