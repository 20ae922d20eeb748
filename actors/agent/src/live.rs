//! Runs under way, as everybody but their own actor sees them: how to stop one, wake one, follow one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::Cancel;
use tokio::sync::watch;

/// A run under way.
#[derive(Debug)]
pub(crate) struct Live {
    /// Raised when it is to stop: because somebody asked, or because the process ends.
    pub(crate) stop: Cancel,
    /// Counts what persons have decided about its steps.
    pub(crate) decided: watch::Sender<u64>,
    /// The number of its last event.
    pub(crate) news: watch::Sender<i64>,
    /// Whether it is over.
    pub(crate) over: watch::Sender<bool>,
}

/// All of them, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives(Arc<Mutex<HashMap<String, Arc<Live>>>>);

impl Live {
    fn new() -> Self {
        Self {
            stop: Cancel::new(),
            decided: watch::Sender::new(0),
            news: watch::Sender::new(0),
            over: watch::Sender::new(false),
        }
    }

    /// There is something new to read.
    pub(crate) fn tell(&self, seq: i64) {
        self.news.send_if_modified(|last| {
            let newer = seq > *last;
            *last = seq.max(*last);
            newer
        });
    }
}

impl Lives {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run of this id, which is about to be under way or is.
    pub(crate) fn of(&self, id: &str) -> Arc<Live> {
        Arc::clone(self.all().entry(id.to_owned()).or_insert_with(|| Arc::new(Live::new())))
    }

    /// The same for an actor that begins: what its predecessor was told to do is not for it.
    pub(crate) fn anew(&self, id: &str) -> Arc<Live> {
        let mut all = self.all();
        match all.get(id) {
            Some(live) if !live.stop.is_cancelled() => Arc::clone(live),
            _ => {
                let live = Arc::new(Live::new());
                // Whoever follows the one before looks again.
                if let Some(before) = all.insert(id.to_owned(), Arc::clone(&live)) {
                    before.over.send_replace(true);
                }
                live
            }
        }
    }

    /// The run of this id, if it is under way.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Live>> {
        self.all().get(id).cloned()
    }

    /// It is over.
    pub(crate) fn end(&self, id: &str) {
        if let Some(live) = self.all().remove(id) {
            live.over.send_replace(true);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }
}
