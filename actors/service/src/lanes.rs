//! Threads that may wait for the disk: a few lanes, each taking call after call.
//!
//! A lane ends when nothing waits, so an idle service has none. A burst that arrives while a lane is running is
//! taken by that lane call by call, without waking a thread for each.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::dispatch::Call;
use supervisor::InFlight;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// More lanes than cores, because a lane mostly waits; few enough that a thousand slow calls cannot take a
/// thousand threads.
const LANES_MAX: usize = 24;

/// Lanes that the calls of one connection may have at one time. What hangs on one connection, however much of it,
/// leaves lanes for the others.
const LANES_PER_CONNECTION: usize = 6;

pub(crate) struct Lanes {
    line: Mutex<Line>,
    idle: Notify,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// For every lane, whose call it works on, if it has one.
    running: Vec<Connection>,
    lanes: usize,
}

struct Waiting {
    call: Call,
    busy: InFlight,
    connection: Connection,
}

/// A connection, by the address of its outbox, which every call of it keeps alive. Calls from inside have none,
/// and count as one.
#[derive(Clone, Copy, PartialEq)]
struct Connection(Option<usize>);

impl Lanes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { line: Mutex::default(), idle: Notify::new() })
    }

    /// Queues a call and sees to it that a lane takes it.
    pub(crate) fn submit(this: &Arc<Self>, call: Call, busy: InFlight) {
        let connection = Connection::of(&call);
        let mut line = this.line();
        let another = line.lanes < LANES_MAX && line.calls_of(connection) < LANES_PER_CONNECTION;
        line.waiting.push_back(Waiting { call, busy, connection });
        // Of a connection that has its share of lanes, one of those takes the call.
        if another {
            line.lanes += 1;
            drop(line);
            let lanes = Arc::clone(this);
            let runtime = Handle::current();
            // Not one of the actor's Tasks: a lane that the disk holds cannot be aborted, and what it has begun
            // it finishes and answers even when the actor is restarted meanwhile.
            tokio::task::spawn_blocking(move || lanes.work(&runtime));
        }
    }

    /// Waits until all lanes have ended, at most `limit`.
    pub(crate) async fn drained(&self, limit: Duration) {
        let empty = async {
            loop {
                let told = self.idle.notified();
                if self.line().lanes == 0 {
                    return;
                }
                told.await;
            }
        };
        if tokio::time::timeout(limit, empty).await.is_err() {
            tracing::warn!("calls still wait for the disk after {limit:?}: left behind");
        }
    }

    fn work(&self, runtime: &Handle) {
        let mut ended = None;
        while let Some(Waiting { call, busy, connection }) = self.next(ended) {
            // What nobody wants any more is not begun; dropping it answers.
            if !call.context.cancel.is_cancelled() {
                // A method that panics loses its own call, whose reply says so; the panic hook has logged it.
                let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call.run())));
            }
            drop(busy);
            ended = Some(connection);
        }
    }

    /// The next call for a lane that has `ended` one; or none, and then the lane has ended: both under one lock, so
    /// that no call is queued behind a lane that is just leaving.
    fn next(&self, ended: Option<Connection>) -> Option<Waiting> {
        let mut line = self.line();
        if let Some(at) = line.running.iter().position(|running| Some(*running) == ended) {
            line.running.swap_remove(at);
        }
        let next = line.waiting.iter().position(|waiting| line.admits(waiting.connection));
        let next = next.and_then(|at| line.waiting.remove(at));
        if let Some(next) = &next {
            line.running.push(next.connection);
        } else {
            line.lanes -= 1;
            self.idle.notify_waiters();
        }
        next
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Line ===

impl Line {
    /// Whether one more call of this connection may run.
    fn admits(&self, connection: Connection) -> bool {
        self.running_of(connection) < LANES_PER_CONNECTION
    }

    fn running_of(&self, connection: Connection) -> usize {
        self.running.iter().filter(|running| **running == connection).count()
    }

    fn calls_of(&self, connection: Connection) -> usize {
        let waiting = self.waiting.iter().filter(|waiting| waiting.connection == connection).count();
        self.running_of(connection) + waiting
    }
}

// === impl Connection ===

impl Connection {
    fn of(call: &Call) -> Self {
        let outbox = call.context.connection.as_ref().map(|(outbox, _)| outbox);
        Self(outbox.map(|outbox| Arc::as_ptr(outbox).cast::<()>() as usize))
    }
}
