//! What is to be looked at: files that just changed before everything else, then paths as a whole.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::restless::Restless;

/// How long it must be quiet, and how long it is waited for that.
const QUIET: Duration = Duration::from_millis(100);
const RESTLESS_MAX: Duration = Duration::from_secs(1);

/// Changed files that are remembered one by one; beyond it all that is watched is looked at again.
const CHANGED_MAX: usize = 10_000;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look at paths that changed: files, and folders that came or went.
    Changed(Vec<String>),
    /// Look at a path as a whole; these are its number and whether deep.
    Scan { path: String, deep: bool, ticket: u64 },
    /// Look at all that is watched.
    All,
}

#[derive(Debug, Default)]
struct Inner {
    changed: VecDeque<String>,
    known: HashSet<String>,
    restless: Restless,
    scans: VecDeque<Next>,
    all: bool,
    /// Numbers given out, and the last of those that are done.
    given: u64,
    done: u64,
}

/// The queue. Bounded: what does not fit is covered by looking at everything.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    wake: Notify,
    finished: Notify,
}

impl Queue {
    /// A path changed.
    pub(crate) fn changed(&self, path: String) {
        let mut inner = self.inner();
        if !inner.restless.may_be_read(&path, Instant::now()) {
            drop(inner);
            // Whoever waits is to know when its time comes.
            return self.wake.notify_one();
        }
        if inner.all || !inner.known.insert(path.clone()) {
            return;
        }
        if inner.changed.len() >= CHANGED_MAX {
            (inner.all, inner.changed, inner.known) = (true, VecDeque::new(), HashSet::new());
        } else {
            inner.changed.push_back(path);
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// Asks for a look at a path as a whole; the number is for [`Queue::finished`].
    pub(crate) fn scan(&self, path: &str, deep: bool) -> u64 {
        let mut inner = self.inner();
        inner.given += 1;
        let ticket = inner.given;
        inner.scans.push_back(Next::Scan { path: path.to_owned(), deep, ticket });
        drop(inner);
        self.wake.notify_one();
        ticket
    }

    /// Asks for a look at all that is watched.
    pub(crate) fn all(&self) {
        self.inner().all = true;
        self.wake.notify_one();
    }

    /// What is to be done next, once there is something.
    pub(crate) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            let due = self.inner().restless.next();
            match due {
                Some(due) => drop(tokio::time::timeout_at(due.into(), self.wake.notified()).await),
                None => self.wake.notified().await,
            }
        }
    }

    fn try_next(&self) -> Option<Next> {
        if let Some(changed) = self.take_changed() {
            return Some(Next::Changed(changed));
        }
        let mut inner = self.inner();
        if let Some(scan) = inner.scans.pop_front() {
            return Some(scan);
        }
        std::mem::take(&mut inner.all).then_some(Next::All)
    }

    /// The paths that changed since it was asked last, if any did: what is done between two files of a long scan, too.
    pub(crate) fn take_changed(&self) -> Option<Vec<String>> {
        let mut inner = self.inner();
        inner.known.clear();
        let mut changed: Vec<String> = inner.changed.drain(..).collect();
        changed.extend(inner.restless.due(Instant::now()));
        (!changed.is_empty()).then_some(changed)
    }

    /// A file is being read.
    pub(crate) fn read(&self, path: &str) {
        self.inner().restless.read(path, Instant::now());
    }

    /// Waits until it was quiet for a moment, since a save is several events and what is renamed is gone before it is
    /// there; what is never quiet is not waited for for ever.
    pub(crate) async fn quiet(&self) {
        let latest = Instant::now() + RESTLESS_MAX;
        while Instant::now() < latest && tokio::time::timeout(QUIET, self.wake.notified()).await.is_ok() {}
        // What was waited for may be all there is to do.
        self.wake.notify_one();
    }

    /// The scan of this number is done. They are done in their order.
    pub(crate) fn finish(&self, ticket: u64) {
        self.inner().done = ticket;
        self.finished.notify_waiters();
    }

    /// Waits for the scan of this number.
    pub(crate) async fn finished(&self, ticket: u64) {
        loop {
            let told = self.finished.notified();
            if self.inner().done >= ticket {
                return;
            }
            told.await;
        }
    }

    /// How many paths and scans wait.
    pub(crate) fn len(&self) -> usize {
        let inner = self.inner();
        inner.changed.len() + inner.restless.len() + inner.scans.len() + usize::from(inner.all)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_changed_goes_first_and_once() {
        let queue = Queue::default();
        let ticket = queue.scan("/", true);
        queue.changed("/a".to_owned());
        queue.changed("/a".to_owned());
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next().await, Next::Changed(vec!["/a".to_owned()]));
        assert_eq!(queue.next().await, Next::Scan { path: "/".to_owned(), deep: true, ticket });
        assert_eq!(queue.len(), 0);
        let waits = queue.finished(ticket);
        queue.finish(ticket);
        waits.await;
    }

    #[tokio::test]
    async fn too_much_is_everything() {
        let queue = Queue::default();
        for n in 0..=CHANGED_MAX {
            queue.changed(n.to_string());
        }
        assert_eq!((queue.len(), queue.next().await), (1, Next::All));
        assert_eq!(queue.len(), 0);
    }
}
