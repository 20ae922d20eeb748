//! Threads that may wait for the disk: a few lanes, each taking call after call.
//!
//! A lane ends when nothing waits, so an idle service has none. A burst that arrives while lanes are running is
//! taken by them call by call, without waking a thread for each: to wake one costs more than most calls do. What
//! the kernel has cached keeps a core busy, so there is a lane for every core; only for a lane that the disk holds
//! up there is another one, which is found out while calls wait.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::dispatch::Call;
use supervisor::InFlight;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// Few enough that a thousand slow calls cannot take a thousand threads.
const LANES_MAX: usize = 24;

/// How often it is looked whether the disk holds up a lane, while calls wait.
const LOOK: Duration = Duration::from_millis(1);

/// A call that was seen at work so many times is held up.
const HELD_UP: u64 = 2;

/// Lanes that the calls of one connection may have at one time. What hangs on one connection, however much of it,
/// leaves lanes for the others.
const LANES_PER_CONNECTION: usize = 6;

pub(crate) struct Lanes {
    line: Mutex<Line>,
    idle: Notify,
    /// How many lanes may be busy: what is held up is not.
    busy_max: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    running: Vec<Running>,
    lanes: usize,
    /// How many calls were begun, in all.
    begun: u64,
    /// How often it was looked, in all.
    looks: u64,
    /// Whether somebody looks.
    watched: bool,
}

/// What a lane works on.
#[derive(Clone, Copy)]
struct Running {
    connection: Connection,
    /// Which of all the calls begun it is.
    number: u64,
    /// What [`Line::looks`] was when it began.
    since: u64,
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
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Self { line: Mutex::default(), idle: Notify::new(), busy_max: cores.clamp(2, LANES_MAX) })
    }

    /// Queues a call and sees to it that a lane takes it.
    pub(crate) fn submit(this: &Arc<Self>, call: Call, busy: InFlight) {
        let connection = Connection::of(&call);
        let mut line = this.line();
        // Of a connection that has its share of lanes, one of those takes the call.
        let another = this.has_room_in(&line) && line.calls_of(connection) < LANES_PER_CONNECTION;
        line.waiting.push_back(Waiting { call, busy, connection });
        if another {
            line.lanes += 1;
            drop(line);
            Self::begin(this);
        } else if !std::mem::replace(&mut line.watched, true) {
            drop(line);
            Self::watch(this);
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "as a lane it belongs to the calls, and ends when none waits"
    )]
    fn watch(this: &Arc<Self>) {
        let lanes = Arc::clone(this);
        tokio::spawn(async move { while lanes.look().await {} });
    }

    fn begin(this: &Arc<Self>) {
        let lanes = Arc::clone(this);
        let runtime = Handle::current();
        // Not one of the actor's Tasks: a lane that the disk holds cannot be aborted, and what it has begun
        // it finishes and answers even when the actor is restarted meanwhile.
        tokio::task::spawn_blocking(move || lanes.work(&runtime));
    }

    /// Begins a lane for each that is held up, as long as calls wait for one; false when none does.
    async fn look(self: &Arc<Self>) -> bool {
        tokio::time::sleep(LOOK).await;
        let mut line = self.line();
        line.looks += 1;
        let mut fit = line.waiting.iter().filter(|waiting| line.admits(waiting.connection)).count();
        while fit > 0 && self.has_room_in(&line) {
            fit -= 1;
            line.lanes += 1;
            Self::begin(self);
        }
        line.watched = !line.waiting.is_empty();
        line.watched
    }

    fn has_room_in(&self, line: &Line) -> bool {
        line.lanes < LANES_MAX && line.lanes < self.busy_max + line.held_up()
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
        while let Some((number, Waiting { call, busy, .. })) = self.next(ended) {
            // What nobody wants any more is not begun; dropping it answers.
            if !call.context.cancel.is_cancelled() {
                // A method that panics loses its own call, whose reply says so; the panic hook has logged it.
                let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call.run())));
            }
            drop(busy);
            ended = Some(number);
        }
    }

    /// The next call for a lane that has `ended` one; or none, and then the lane has ended: both under one lock, so
    /// that no call is queued behind a lane that is just leaving.
    fn next(&self, ended: Option<u64>) -> Option<(u64, Waiting)> {
        let mut line = self.line();
        let ended = ended.and_then(|number| line.end(number));
        // A lane that was begun because others were held up ends when they no longer are and its own call was not.
        let spare = line.lanes > self.busy_max + line.held_up();
        let leaves = spare && ended.is_some_and(|ended| !line.holds_up(&ended));
        let next = if leaves { None } else { line.begin() };
        if next.is_none() {
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
    /// Takes the first call that may run.
    fn begin(&mut self) -> Option<(u64, Waiting)> {
        let at = self.waiting.iter().position(|waiting| self.admits(waiting.connection))?;
        let next = self.waiting.remove(at)?;
        self.begun += 1;
        self.running.push(Running { connection: next.connection, number: self.begun, since: self.looks });
        Some((self.begun, next))
    }

    fn end(&mut self, number: u64) -> Option<Running> {
        let at = self.running.iter().position(|running| running.number == number)?;
        Some(self.running.swap_remove(at))
    }

    /// Whether one more call of this connection may run.
    fn admits(&self, connection: Connection) -> bool {
        self.running_of(connection) < LANES_PER_CONNECTION
    }

    fn running_of(&self, connection: Connection) -> usize {
        self.running.iter().filter(|running| running.connection == connection).count()
    }

    fn held_up(&self) -> usize {
        self.running.iter().filter(|running| self.holds_up(running)).count()
    }

    fn holds_up(&self, running: &Running) -> bool {
        self.looks - running.since >= HELD_UP
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

#[cfg(test)]
mod tests;
