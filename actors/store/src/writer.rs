//! The one writer: a thread that commits everything waiting in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::StoreError;

/// Changes waiting for the disk. A caller beyond it is told to come again instead of growing a queue.
const WAITING_MAX: usize = 4_096;

/// Changes in one transaction: enough to hide the commit, few enough that a batch stays below some 20 ms.
const BATCH_MAX: usize = 1_024;

/// Answers one change, told how its commit went.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Makes one change, or learns that no transaction could be begun, and returns who is to be told.
type Change = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Finish + Send>;

/// What a committed change outlasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlasts {
    /// The machine's power too: it is on the disk. Takes milliseconds.
    PowerCut,
    /// This process, however it ends; the disk has it soon. Takes microseconds. For what may be a moment old after a
    /// power cut and must not be wrong after a crash.
    Crash,
}

struct Job {
    outlasts: Outlasts,
    change: Change,
}

pub(crate) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Self {
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(&connection, &waiting))
            .expect("the process may start a thread");
        Self { jobs: Some(jobs), thread: Some(thread) }
    }

    pub(crate) fn submit<T: Send + 'static>(
        &self,
        outlasts: Outlasts,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let change: Change = Box::new(move |begun| match begun.and_then(|db| in_savepoint(db, change)) {
            Ok(value) => Box::new(move |committed| answer(committed.map(|()| value))),
            Err(error) => Box::new(move |_| answer(Err(error))),
        });
        match self.jobs.as_ref().ok_or(StoreError::Closed)?.try_send(Job { outlasts, change }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                Err(StoreError::Commit("too many changes are waiting for the disk".into()))
            }
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(connection: &Connection, waiting: &Receiver<Job>) {
    let mut synced = Outlasts::PowerCut;
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(waiting.try_iter().take(BATCH_MAX - 1)).collect();
        // One that must outlast a power cut carries the others along.
        let all_soon = batch.iter().all(|job| job.outlasts == Outlasts::Crash);
        sync(connection, &mut synced, if all_soon { Outlasts::Crash } else { Outlasts::PowerCut });
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let run = |job: Job| {
            let transaction = match &begun {
                Ok(()) => Ok(connection),
                Err(error) => Err(StoreError::Commit(error.to_string())),
            };
            // A change that panics must not take the writer with it: its caller sees a closed channel.
            catch_unwind(AssertUnwindSafe(|| (job.change)(transaction))).ok()
        };
        let finish: Vec<Finish> = batch.into_iter().filter_map(run).collect();
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
        if let Err(error) = &committed {
            tracing::error!(%error, changes = finish.len(), "commit failed; the changes are refused");
            let _ = connection.execute_batch("ROLLBACK");
        }
        let committed = committed.map_err(|error| error.to_string());
        for tell in finish {
            tell(committed.clone().map_err(StoreError::Commit));
        }
    }
}

/// Has the next commits outlast `wanted`. In WAL mode NORMAL leaves the log to the kernel, and a later commit that is
/// FULL takes to the disk what came before it.
fn sync(connection: &Connection, now: &mut Outlasts, wanted: Outlasts) {
    if *now == wanted {
        return;
    }
    let mode = if wanted == Outlasts::PowerCut { "FULL" } else { "NORMAL" };
    match connection.pragma_update(None, "synchronous", mode) {
        Ok(()) => *now = wanted,
        Err(error) => tracing::error!(%error, mode, "the state file cannot be told how to commit"),
    }
}

/// Runs one change so that its failure undoes only itself.
fn in_savepoint<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT change").map_err(StoreError::Change)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| change(connection)));
    let end =
        if matches!(outcome, Ok(Ok(_))) { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
    connection.execute_batch(end).map_err(StoreError::Change)?;
    match outcome {
        Ok(outcome) => outcome.map_err(StoreError::Change),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
