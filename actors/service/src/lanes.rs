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
const LANES_MAX: usize = 16;

pub(crate) struct Lanes {
    line: Mutex<Line>,
    idle: Notify,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(Call, InFlight)>,
    running: usize,
}

impl Lanes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { line: Mutex::default(), idle: Notify::new() })
    }

    /// Queues a call and sees to it that a lane takes it.
    pub(crate) fn submit(this: &Arc<Self>, call: Call, busy: InFlight) {
        let mut line = this.line();
        line.waiting.push_back((call, busy));
        if line.running < LANES_MAX {
            line.running += 1;
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
                if self.line().running == 0 {
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
        while let Some((call, busy)) = self.next() {
            // What nobody wants any more is not begun; dropping it answers.
            if !call.context.cancel.is_cancelled() {
                // A method that panics loses its own call, whose reply says so; the panic hook has logged it.
                let _call = crate::span(&call).entered();
                let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call.run())));
            }
            drop(busy);
        }
    }

    /// The next call; or none, and then the lane has ended: both under one lock, so that no call is queued
    /// behind a lane that is just leaving.
    fn next(&self) -> Option<(Call, InFlight)> {
        let mut line = self.line();
        let next = line.waiting.pop_front();
        if next.is_none() {
            line.running -= 1;
            self.idle.notify_waiters();
        }
        next
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
