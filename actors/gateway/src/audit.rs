//! The audit trail on its way to the state file, and the counters of every method.
//!
//! Each call leaves a row: who, what, which outcome, how long, how much; never what was in it. Calls that change
//! nothing and end the same way for the same caller share a row until it is written (some four times a second),
//! with their number: a host that polls ten thousand times a second must not write a gigabyte an hour.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use protocol::dispatch::Trail;
use protocol::{Caller, Cause, Code, Entry, Error, Witness};
use store::rusqlite::{Connection, params};
use tokio::sync::Notify;

/// Rows kept for the next write; beyond it further calls only count in the last row of their kind.
const ROWS_MAX: usize = 20_000;

/// Counts what happened, and collects what is to be written.
#[derive(Default)]
pub(crate) struct Audit {
    in_flight: AtomicUsize,
    answered: AtomicU64,
    failed: AtomicU64,
    rows: Mutex<Rows>,
    /// Told when the first row since the last write is there.
    dirty: Notify,
}

#[derive(Default)]
struct Rows {
    /// One row per call that changed, or tried to change, something.
    single: Vec<Row>,
    /// One row per kind of call that did not.
    shared: Vec<Row>,
    /// Where the row of a kind is.
    kinds: HashMap<Kind, usize>,
    /// The kind that was last counted, which mostly is the next one's too.
    last: Option<(Kind, usize)>,
}

/// Caller and method by address, which their row keeps alive, and the outcome.
type Kind = (usize, usize, &'static str);

/// One row of the audit trail.
#[derive(Clone)]
pub(crate) struct Row {
    at: Timestamp,
    request_id: u64,
    caller: Arc<Caller>,
    entry: Arc<Entry>,
    outcome: &'static str,
    calls: u64,
    took: Duration,
    took_max: Duration,
    bytes_in: u64,
    bytes_out: u64,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls admitted and not answered.
    pub in_flight: usize,
    /// Calls answered, one way or another.
    pub answered: u64,
    /// Of these, with an error.
    pub failed: u64,
}

impl Audit {
    /// Takes one of `max` places for calls under way, given back when the call ends.
    pub(crate) fn enter(&self, max: usize) -> bool {
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < max {
            return true;
        }
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        false
    }

    /// Gives back a place whose call was refused after all.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Totals since the start.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    /// A call that was refused before it took a place.
    pub(crate) fn refused(&self, trail: &Trail, error: &Error) {
        self.record(trail, Duration::ZERO, 0, Some(error));
    }

    /// Resolves when there is something to write.
    pub(crate) async fn dirty(&self) {
        self.dirty.notified().await;
    }

    /// Everything that is to be written.
    pub(crate) fn take(&self) -> Vec<Row> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = std::mem::take(&mut rows.single);
        all.append(&mut rows.shared);
        rows.kinds.clear();
        rows.last = None;
        all
    }

    fn record(&self, trail: &Trail, took: Duration, bytes_out: usize, failed: Option<&Error>) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = failed {
            self.failed.fetch_add(1, Ordering::Relaxed);
            log(trail, error);
        }
        let outcome = outcome(trail, failed);
        let row = || Row {
            at: Timestamp::now(),
            request_id: trail.request_id,
            caller: Arc::clone(&trail.caller),
            entry: Arc::clone(&trail.entry),
            outcome,
            calls: 0,
            took: Duration::ZERO,
            took_max: Duration::ZERO,
            bytes_in: 0,
            bytes_out: 0,
        };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let looked_only = trail.entry.effect.read_only || (took.is_zero() && failed.is_some());
        if rows.single.is_empty() && rows.shared.is_empty() {
            self.dirty.notify_one();
        }
        let row = if looked_only || rows.single.len() >= ROWS_MAX {
            let caller = Arc::as_ptr(&trail.caller) as usize;
            let Some(shared) = rows.shared((caller, Arc::as_ptr(&trail.entry) as usize, outcome), row) else {
                return;
            };
            shared
        } else {
            rows.single.push(row());
            rows.single.last_mut().expect("just pushed")
        };
        row.calls += 1;
        row.took += took;
        row.took_max = row.took_max.max(took);
        row.bytes_in += trail.bytes_in as u64;
        row.bytes_out += bytes_out as u64;
    }
}

impl Rows {
    /// The row of a kind, made if there is none; `None` when there are too many.
    fn shared(&mut self, kind: Kind, make: impl FnOnce() -> Row) -> Option<&mut Row> {
        let at = match self.last {
            Some((last, at)) if last == kind => at,
            _ => match self.kinds.get(&kind) {
                Some(at) => *at,
                None if self.shared.len() >= ROWS_MAX => return None,
                None => {
                    self.shared.push(make());
                    self.kinds.insert(kind, self.shared.len() - 1);
                    self.shared.len() - 1
                }
            },
        };
        self.last = Some((kind, at));
        self.shared.get_mut(at)
    }
}

impl Witness for Audit {
    fn finished(&self, trail: &Trail, took: Duration, bytes_out: usize, failed: Option<&Error>) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.record(trail, took, bytes_out, failed);
    }
}

/// What the caller saw: a call whose caller had gone, or gave up waiting, did not end well for it.
fn outcome(trail: &Trail, failed: Option<&Error>) -> &'static str {
    match (trail.cancel.cause(), failed) {
        (Some(Cause::Cancelled), _) => Code::Cancelled.label(),
        (Some(Cause::Disconnected), _) => "disconnected",
        (Some(Cause::Deadline), _) => Code::DeadlineExceeded.label(),
        (Some(Cause::Shutdown), _) => "shutdown",
        (None, Some(error)) => error.code.label(),
        (None, None) => "ok",
    }
}

fn log(trail: &Trail, error: &Error) {
    let (method, caller, outcome) = (&trail.entry.name, &trail.caller.name, error.code.label());
    let request_id = format!("{:x}", trail.request_id);
    if let Some(detail) = &error.detail {
        tracing::error!(request_id, method, caller, outcome, detail, "call failed");
    } else {
        tracing::debug!(request_id, method, caller, outcome, "call refused");
    }
}

/// Writes rows in the caller's transaction.
pub(crate) fn write(db: &Connection, rows: &[Row]) -> store::rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO audit (at_ms, request_id, caller, way, method, outcome, calls, took_us, took_us_max, \
         bytes_in, bytes_out) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let micros = |took: Duration| i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    for row in rows {
        insert.execute(params![
            row.at.as_millisecond(),
            format!("{:x}", row.request_id),
            row.caller.name,
            format!("{:?}", row.caller.way).to_lowercase(),
            row.entry.name,
            row.outcome,
            number(row.calls),
            micros(row.took),
            micros(row.took_max),
            number(row.bytes_in),
            number(row.bytes_out),
        ])?;
    }
    Ok(())
}
