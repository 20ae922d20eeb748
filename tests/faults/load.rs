//! Callers who never pause: several connections, each with eight calls in flight, and a record of what went wrong.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use harness::client::gone;
use harness::{Daemon, PATIENCE};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::line::{Door, Line};

/// What one slot of a connection calls, over and over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Hello,
    Health,
    Read,
    Write,
    Echo,
}

/// Calls in flight on a connection to everything.
const EVERYTHING: [Call; 8] =
    [Call::Hello, Call::Hello, Call::Health, Call::Read, Call::Read, Call::Write, Call::Write, Call::Echo];

/// Calls in flight on a connection to the files alone.
const FILES: [Call; 8] =
    [Call::Read, Call::Read, Call::Read, Call::Read, Call::Write, Call::Write, Call::Write, Call::Write];

/// What everybody reads; the test lays it out.
pub(crate) const READ: &str = "read.txt";

/// A call that did not succeed.
#[derive(Clone, Debug)]
pub(crate) struct Mishap {
    /// Which connection it was on.
    pub(crate) line: usize,
    pub(crate) call: Call,
    pub(crate) error: Value,
}

/// The callers. They stop when this is dropped.
pub(crate) struct Load {
    pub(crate) lines: Vec<Arc<Line>>,
    shared: Arc<Shared>,
    callers: JoinSet<()>,
}

struct Shared {
    text: String,
    stop: AtomicBool,
    /// How many callers are out of a pause.
    running: Semaphore,
    good: AtomicU64,
    mishaps: Mutex<Vec<Mishap>>,
    /// Counts up with every [`Load::settle`].
    round: AtomicU64,
    /// The last round in which each caller began a call that has ended.
    ended: Vec<AtomicU64>,
    told: Notify,
}

impl Mishap {
    /// The connection ended before the answer came.
    pub(crate) fn is_gone(&self) -> bool {
        self.error == gone()
    }

    /// The error says that the part which answers is restarting, or died, and whether a retry is safe.
    pub(crate) fn says_so(&self) -> bool {
        let safe = self.error["data"]["retry_safe"].as_bool();
        match self.error["code"].as_i64() {
            Some(-32060) => safe == Some(true),
            // What a stranger's method does, nobody knows.
            Some(-32061) => safe == Some(!matches!(self.call, Call::Write | Call::Echo)),
            _ => false,
        }
    }
}

impl Call {
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Hello => "mcp.hello",
            Self::Health => "mcp.admin.health",
            Self::Read => "mcp.fs.read",
            Self::Write => "mcp.fs.write",
            Self::Echo => "mcp.toy.echo",
        }
    }

    fn params(self, caller: usize, turn: u64) -> Value {
        match self {
            Self::Hello | Self::Health => json!({}),
            Self::Read => json!({ "path": format!("/{READ}") }),
            Self::Write => {
                json!({ "path": format!("/written-{caller}.txt"), "content": format!("turn {turn}") })
            }
            Self::Echo => json!([format!("{caller} {turn}")]),
        }
    }

    /// Whether a result is the answer to this very call.
    fn is_answered_by(self, result: &Value, params: &Value, text: &str) -> bool {
        match self {
            Self::Hello => result.as_array().is_some_and(|methods| !methods.is_empty()) || result.is_object(),
            Self::Health => result["status"].is_string(),
            Self::Read => result["content"] == *text,
            Self::Write => result["path"] == params["path"] && result["status"] == "success",
            Self::Echo => result["text"] == params[0],
        }
    }
}

impl Load {
    /// Two connections over WebSocket, one at the gateway's socket and one at that of the files.
    pub(crate) async fn start(daemon: &Daemon) -> Self {
        let text = "What everybody reads.\n".repeat(50);
        std::fs::write(daemon.file(READ), &text).expect("a file for the load");
        let doors = [
            (Door::ws(daemon), EVERYTHING),
            (Door::ws(daemon), EVERYTHING),
            (Door::unix(daemon, "gateway"), EVERYTHING),
            (Door::unix(daemon, "fs"), FILES),
        ];
        let shared = Arc::new(Shared {
            text,
            stop: AtomicBool::new(false),
            running: Semaphore::new(doors.len() * 8),
            good: AtomicU64::new(0),
            mishaps: Mutex::default(),
            round: AtomicU64::new(0),
            ended: (0..doors.len() * 8).map(|_| AtomicU64::new(0)).collect(),
            told: Notify::new(),
        });
        let (mut lines, mut callers) = (Vec::new(), JoinSet::new());
        for (number, (door, calls)) in doors.into_iter().enumerate() {
            let line = Arc::new(Line::new(door));
            // One after the other, so that the order of the sessions in the tree is known.
            line.eventually("mcp.fs.stat", json!([format!("/{READ}")])).await;
            for (slot, call) in calls.into_iter().enumerate() {
                callers.spawn(Arc::clone(&shared).keep_calling(Arc::clone(&line), number, slot, call));
            }
            lines.push(line);
        }
        Self { lines, shared, callers }
    }

    /// Waits until every caller has had the answer to a call that it began from now on.
    pub(crate) async fn settle(&self) {
        let round = self.shared.round.fetch_add(1, Ordering::SeqCst) + 1;
        let settled = async {
            loop {
                let mut told = std::pin::pin!(self.shared.told.notified());
                told.as_mut().enable();
                if self.shared.ended.iter().all(|ended| ended.load(Ordering::SeqCst) >= round) {
                    return;
                }
                told.await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("every caller goes on");
    }

    /// Lets every caller finish the call that it has begun, and wait.
    pub(crate) async fn pause(&self) {
        let all = u32::try_from(self.shared.ended.len()).expect("a few dozen");
        let paused = tokio::time::timeout(PATIENCE, self.shared.running.acquire_many(all)).await;
        paused.expect("every call ends").expect("it is never closed").forget();
    }

    /// Ends a pause.
    pub(crate) fn resume(&self) {
        self.shared.running.add_permits(self.shared.ended.len());
    }

    /// What went wrong since this was last asked.
    pub(crate) fn mishaps(&self) -> Vec<Mishap> {
        std::mem::take(&mut *self.shared.mishaps.lock().expect("no holder panics"))
    }

    /// How many calls succeeded.
    pub(crate) fn good(&self) -> u64 {
        self.shared.good.load(Ordering::SeqCst)
    }

    /// Lets every caller finish the call that it has begun; returns what went wrong.
    pub(crate) async fn stop(mut self) -> Vec<Mishap> {
        self.shared.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("no caller panics");
        }
        self.mishaps()
    }
}

impl Shared {
    async fn keep_calling(self: Arc<Self>, line: Arc<Line>, number: usize, slot: usize, call: Call) {
        let caller = number * 8 + slot;
        for turn in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let _turn = self.running.acquire().await.expect("it is never closed");
            let round = self.round.load(Ordering::SeqCst);
            let params = call.params(caller, turn);
            let error = match line.call(call.method(), params.clone()).await {
                Ok(result) if call.is_answered_by(&result, &params, &self.text) => None,
                Ok(result) => Some(json!({ "message": "answered with something else", "data": result })),
                Err(error) => Some(error),
            };
            match error {
                None => drop(self.good.fetch_add(1, Ordering::SeqCst)),
                Some(error) => {
                    let mishap = Mishap { line: number, call, error };
                    self.mishaps.lock().expect("no holder panics").push(mishap);
                }
            }
            self.ended[caller].store(round, Ordering::SeqCst);
            self.told.notify_waiters();
        }
    }
}
