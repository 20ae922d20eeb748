//! What one actor is doing, in atomics: counted by its wrapper and its slot, read
//! by snapshots. Nothing here waits, allocates per message or asks the actor.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::histogram::{BUCKETS, Histogram, micros};

/// The counters of one actor. They outlive its restarts, so that totals do not
/// fall back to zero when it fails.
#[derive(Clone, Debug)]
pub struct Meter(Arc<Counters>);

/// One piece of work that outlasts its message: in flight until this is dropped.
#[derive(Debug)]
#[must_use = "work is in flight for as long as this lives"]
pub struct InFlight(Meter);

#[derive(Debug, Default)]
struct Counters {
    depth: AtomicU32,
    in_flight: AtomicU32,
    handled: AtomicU64,
    failed: AtomicU64,
    /// Microseconds after [`EPOCH`], plus one; 0 while the actor is idle.
    handling_since: AtomicU64,
    /// None for the numerous: a session's 200 bytes count ten thousand times.
    histogram: Option<Box<Histogram>>,
}

/// What `handling_since` counts from: atomics hold numbers, not instants.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One message being handled, from take to drop: also when the handler panics or
/// is killed on the way.
pub(crate) struct Handling<'a> {
    counters: &'a Counters,
    since: Instant,
}

// === impl Meter ===

impl Meter {
    /// A meter with a histogram of handling times.
    pub fn new() -> Self {
        Self(Arc::new(Counters { histogram: Some(Box::default()), ..Counters::default() }))
    }

    /// A meter without one, for actors that come in thousands.
    pub fn small() -> Self {
        Self(Arc::new(Counters::default()))
    }

    /// Begins a piece of work that outlasts the message that asked for it.
    pub fn begin(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Relaxed);
        InFlight(self.clone())
    }

    /// Messages handled, whatever became of them.
    pub fn handled(&self) -> u64 {
        self.0.handled.load(Relaxed)
    }

    /// Messages whose handling ended in `Err` or a panic, and tasks that panicked.
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Relaxed)
    }

    /// Messages that wait in the mailbox. Those an actor sends itself past its slot
    /// are not counted, so this is a lower bound; it is exact whenever it is idle.
    pub fn depth(&self) -> u32 {
        self.0.depth.load(Relaxed)
    }

    /// Pieces of work begun and not ended.
    pub fn in_flight(&self) -> u32 {
        self.0.in_flight.load(Relaxed)
    }

    /// How long the message in hand has been in hand, if there is one.
    pub fn handling_for(&self) -> Option<Duration> {
        let since = self.0.handling_since.load(Relaxed).checked_sub(1)?;
        Some(EPOCH.elapsed().saturating_sub(Duration::from_micros(since)))
    }

    /// Handling times by bucket, if this meter keeps them.
    pub(crate) fn histogram(&self) -> Option<[u64; BUCKETS]> {
        self.0.histogram.as_ref().map(|histogram| histogram.read())
    }

    /// One more message is on its way to the mailbox.
    pub(crate) fn sent(&self) {
        self.0.depth.fetch_add(1, Relaxed);
    }

    /// A message left the mailbox, or never reached it.
    ///
    /// Never below zero: a message that did not come through the slot was not
    /// counted on its way in, and this is where the count finds that out.
    pub(crate) fn unsent(&self) {
        let _ = self.0.depth.fetch_update(Relaxed, Relaxed, |depth| depth.checked_sub(1));
    }

    /// The actor is new, and so is its mailbox.
    pub(crate) fn emptied(&self) {
        self.0.depth.store(0, Relaxed);
        self.0.handling_since.store(0, Relaxed);
    }

    /// The actor takes a message in hand.
    pub(crate) fn take(&self) -> Handling<'_> {
        self.unsent();
        let since = Instant::now();
        self.0.handling_since.store(micros(since.saturating_duration_since(*EPOCH)) + 1, Relaxed);
        Handling { counters: &self.0, since }
    }

    /// A message or a task ended badly.
    pub(crate) fn fail(&self) {
        self.0.failed.fetch_add(1, Relaxed);
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

// === impl InFlight ===

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Relaxed);
    }
}

// === impl Handling ===

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        let counters = self.counters;
        counters.handling_since.store(0, Relaxed);
        counters.handled.fetch_add(1, Relaxed);
        if thread::panicking() {
            counters.failed.fetch_add(1, Relaxed);
        }
        if let Some(histogram) = &counters.histogram {
            histogram.record(self.since.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_finds_its_way_back_from_messages_nobody_counted() {
        let meter = Meter::small();
        meter.sent();
        drop(meter.take());
        drop(meter.take());
        assert_eq!((meter.depth(), meter.handled()), (0, 2));
        meter.sent();
        assert_eq!(meter.depth(), 1);
    }

    #[test]
    fn work_is_in_flight_until_its_guard_is_dropped() {
        let meter = Meter::new();
        let (one, two) = (meter.begin(), meter.begin());
        assert_eq!(meter.in_flight(), 2);
        drop((one, two));
        assert_eq!(meter.in_flight(), 0);
    }

    #[test]
    fn a_message_is_in_hand_until_it_is_dropped() {
        let meter = Meter::new();
        assert_eq!(meter.handling_for(), None);
        let handling = meter.take();
        assert!(meter.handling_for().is_some());
        drop(handling);
        assert_eq!(meter.handling_for(), None);
        assert_eq!(meter.histogram().map(|buckets| buckets.iter().sum()), Some(1_u64));
    }
}
