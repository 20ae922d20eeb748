//! Tasks that belong to an actor: they end with it, and none of them is lost. A stray
//! `tokio::spawn` outlives its actor, works for callers who are gone, and takes its
//! panics with it.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::{self, AbortHandle};
use tokio::time;

use crate::events::What;
use crate::launch::ChildContext;
use crate::leaving::deadline_in;
use crate::meter::Meter;
use crate::panic_hook::TEXT_MAX;
use crate::tree::Tree;

/// The tasks of one owner. All are aborted when this is dropped: keep it in the actor's
/// state. It is not `Clone`, so that there is one owner.
pub struct Tasks(Arc<Inner>);

struct Inner {
    path: Arc<str>,
    /// Whom to tell of panics; none for tasks of no actor.
    place: Option<(Meter, Tree)>,
    next: AtomicU64,
    live: Mutex<HashMap<u64, AbortHandle>>,
    ended: Notify,
}

/// How the tasks of an owner came to their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// How many were still running at the deadline, and were aborted.
    pub aborted: usize,
}

/// Marks one task as ended: when it returns, panics or is aborted, even before its
/// first step.
struct End {
    tasks: Arc<Inner>,
    id: u64,
}

/// An aborted task ends at its next await. One that has none, or sits on a blocking
/// thread, is not waited for any longer than this.
const ABORT_WITHIN: Duration = Duration::from_secs(1);

// === impl Tasks ===

impl Tasks {
    /// A home for the tasks of the actor that is being made.
    pub fn of(context: &ChildContext) -> Self {
        Self::in_tree(&context.path, &context.meter, &context.tree)
    }

    /// A home for the tasks of something that is no actor. `name` is for the log.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self::new(name.into(), None)
    }

    pub(crate) fn in_tree(path: &Arc<str>, meter: &Meter, tree: &Tree) -> Self {
        Self::new(Arc::clone(path), Some((meter.clone(), tree.clone())))
    }

    fn new(path: Arc<str>, place: Option<(Meter, Tree)>) -> Self {
        Self(Arc::new(Inner {
            path,
            place,
            next: AtomicU64::new(0),
            live: Mutex::default(),
            ended: Notify::new(),
        }))
    }

    /// Runs `future` until it is done, or the owner is. Its panic is logged, counted and
    /// told as an event; the owner goes on.
    #[expect(clippy::disallowed_methods, reason = "this is what to use instead")]
    pub fn spawn<F>(&self, future: F) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.track(|end| {
            // One value, so that an abort before the first step drops the future first.
            let work = (AssertUnwindSafe(future), end);
            tokio::spawn(async move {
                let (future, end) = work;
                if let Err(panic) = future.catch_unwind().await {
                    end.tasks.report(panic.as_ref());
                }
            })
            .abort_handle()
        })
    }

    /// Runs `work` on a thread where it may block. Once begun it cannot be aborted: it is
    /// only no longer waited for.
    pub fn spawn_blocking<F>(&self, work: F) -> AbortHandle
    where
        F: FnOnce() + Send + 'static,
    {
        self.track(|end| {
            let work = (AssertUnwindSafe(work), end);
            task::spawn_blocking(move || {
                let (work, end) = work;
                if let Err(panic) = catch_unwind(work) {
                    end.tasks.report(panic.as_ref());
                }
            })
            .abort_handle()
        })
    }

    /// How many are running.
    pub fn len(&self) -> usize {
        self.0.live().len()
    }

    /// Whether none is running.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until all have ended, and after `deadline` aborts those that have not.
    pub async fn join_all(&self, deadline: Duration) -> Joined {
        if time::timeout_at(deadline_in(deadline), self.0.none_left()).await.is_ok() {
            return Joined::default();
        }
        let aborted = self.0.abort();
        if time::timeout(ABORT_WITHIN, self.0.none_left()).await.is_err() {
            tracing::error!(path = &*self.0.path, left = self.len(), "tasks that never await: left behind");
        }
        Joined { aborted }
    }

    /// Spawns under the lock, so that a task that ends at once finds its own entry.
    fn track(&self, spawn: impl FnOnce(End) -> AbortHandle) -> AbortHandle {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let end = End { tasks: Arc::clone(&self.0), id };
        let mut live = self.0.live();
        let handle = spawn(end);
        live.insert(id, handle.clone());
        handle
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("path", &self.0.path).field("live", &self.len()).finish()
    }
}

// === impl Inner ===

impl Inner {
    fn live(&self) -> MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn abort(&self) -> usize {
        // Outside the lock: an abort may drop the task right here, and that takes it.
        let handles: Vec<AbortHandle> = self.live().values().cloned().collect();
        handles.iter().for_each(AbortHandle::abort);
        handles.len()
    }

    async fn none_left(&self) {
        loop {
            let ended = self.ended.notified();
            if self.live().is_empty() {
                return;
            }
            ended.await;
        }
    }

    fn report(&self, panic: &(dyn Any + Send)) {
        let text = panic_text(panic);
        if let Some((meter, tree)) = &self.place {
            meter.fail();
            tree.tell(&self.path, What::TaskFailed { text });
        } else {
            tracing::error!(path = &*self.path, text, "a task panicked");
        }
    }
}

// === impl End ===

impl Drop for End {
    fn drop(&mut self) {
        self.tasks.live().remove(&self.id);
        self.tasks.ended.notify_waiters();
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").chars().take(TEXT_MAX).collect()
}
