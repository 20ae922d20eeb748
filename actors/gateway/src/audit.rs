//! The audit trail on its way to the state file, and the counters of every method.
//!
//! Each call leaves a row: who, what, which outcome, how long, how much; never what was in it. Calls that change
//! nothing and end the same way for the same caller share a row until it is written (some four times a second),
//! with their number: a host that polls ten thousand times a second must not write a gigabyte an hour.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    rows: Mutex<Rows>,
    /// Told when the first row since the last write is there.
    dirty: Notify,
}

#[derive(Default)]
struct Rows {
    answered: u64,
    failed: u64,
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

/// A call that has ended, as the trail sees it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) caller: &'a Arc<Caller>,
    pub(crate) request_id: u64,
    pub(crate) bytes_in: usize,
    /// Why it was abandoned, if it was.
    pub(crate) cancelled: Option<Cause>,
}

/// What calls came to.
#[derive(Clone, Copy, Default)]
struct Sum {
    calls: u64,
    took: Duration,
    took_max: Duration,
    bytes_in: u64,
    bytes_out: u64,
}

/// Counts calls that came together and were answered at once: those of one kind are told to the trail together,
/// when another kind comes or the tally ends.
pub(crate) struct Tally<'a> {
    audit: &'a Audit,
    several: bool,
    counted: Option<(Kind, Instant, Row)>,
}

/// One row of the audit trail.
#[derive(Clone)]
pub(crate) struct Row {
    at: Timestamp,
    request_id: u64,
    caller: Arc<Caller>,
    entry: Arc<Entry>,
    outcome: &'static str,
    sum: Sum,
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
        let rows = self.rows();
        Totals {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            answered: rows.answered,
            failed: rows.failed,
        }
    }

    /// Counts `calls` that came together.
    pub(crate) fn tally(&self, calls: usize) -> Tally<'_> {
        Tally { audit: self, several: calls > 1, counted: None }
    }

    /// A call that was refused before it took a place.
    pub(crate) fn refused(&self, seen: &Seen<'_>, error: &Error) {
        self.record(seen, Duration::ZERO, 0, Some(error));
    }

    /// Resolves when there is something to write.
    pub(crate) async fn dirty(&self) {
        self.dirty.notified().await;
    }

    /// Everything that is to be written.
    pub(crate) fn take(&self) -> Vec<Row> {
        let mut rows = self.rows();
        let mut all = std::mem::take(&mut rows.single);
        all.append(&mut rows.shared);
        rows.kinds.clear();
        rows.last = None;
        all
    }

    fn record(&self, seen: &Seen<'_>, took: Duration, bytes_out: usize, failed: Option<&Error>) {
        if let Some(error) = failed {
            log(seen, error);
        }
        let outcome = outcome(seen, failed);
        let sum = Sum::one(seen, took, bytes_out);
        let mut rows = self.rows();
        rows.failed += u64::from(failed.is_some());
        let looked_only = seen.entry.effect.read_only || (took.is_zero() && failed.is_some());
        let kind = looked_only.then(|| seen.kind(outcome));
        self.add(&mut rows, kind, sum, || Row::of(seen, outcome));
    }

    /// Adds to the row of `kind`, or to a row of its own.
    fn add(&self, rows: &mut Rows, kind: Option<Kind>, sum: Sum, make: impl FnOnce() -> Row) {
        rows.answered += sum.calls;
        if rows.single.is_empty() && rows.shared.is_empty() {
            self.dirty.notify_one();
        }
        match kind {
            None if rows.single.len() < ROWS_MAX => rows.single.push(Row { sum, ..make() }),
            None => {
                let row = make();
                let kind = (Arc::as_ptr(&row.caller) as usize, Arc::as_ptr(&row.entry) as usize, row.outcome);
                if let Some(shared) = rows.shared(kind, || row) {
                    shared.sum.add(sum);
                }
            }
            Some(kind) => {
                if let Some(shared) = rows.shared(kind, make) {
                    shared.sum.add(sum);
                }
            }
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen<'_> {
    fn kind(&self, outcome: &'static str) -> Kind {
        (Arc::as_ptr(self.caller) as usize, Arc::as_ptr(self.entry) as usize, outcome)
    }
}

impl Row {
    fn of(seen: &Seen<'_>, outcome: &'static str) -> Self {
        Self {
            at: Timestamp::now(),
            request_id: seen.request_id,
            caller: Arc::clone(seen.caller),
            entry: Arc::clone(seen.entry),
            outcome,
            sum: Sum::default(),
        }
    }
}

impl Sum {
    fn one(seen: &Seen<'_>, took: Duration, bytes_out: usize) -> Self {
        Self { calls: 1, took, took_max: took, bytes_in: seen.bytes_in as u64, bytes_out: bytes_out as u64 }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.took += other.took;
        self.took_max = self.took_max.max(other.took_max);
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}

impl Tally<'_> {
    /// Counts a call that was answered at once.
    pub(crate) fn add(
        &mut self,
        seen: &Seen<'_>,
        admitted: Instant,
        bytes_out: usize,
        failed: Option<&Error>,
    ) {
        if !self.several || failed.is_some() || !seen.entry.effect.read_only {
            return self.audit.record(seen, admitted.elapsed(), bytes_out, failed);
        }
        let outcome = outcome(seen, failed);
        let (kind, sum) = (seen.kind(outcome), Sum::one(seen, Duration::ZERO, bytes_out));
        match &mut self.counted {
            Some((known, _, row)) if *known == kind => row.sum.add(sum),
            _ => {
                self.tell();
                self.counted = Some((kind, admitted, Row { sum, ..Row::of(seen, outcome) }));
            }
        }
    }

    /// Whether there is anything to be told together.
    pub(crate) fn several(&self) -> bool {
        self.several
    }

    fn tell(&mut self) {
        if let Some((kind, admitted, row)) = self.counted.take() {
            // What came together is answered together: each took as long as all did.
            let took = admitted.elapsed();
            let all = took.saturating_mul(u32::try_from(row.sum.calls).unwrap_or(u32::MAX));
            let sum = Sum { took: all, took_max: took, ..row.sum };
            let row = || Row { sum: Sum::default(), ..row };
            self.audit.add(&mut self.audit.rows(), Some(kind), sum, row);
        }
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.tell();
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
        let seen = Seen {
            entry: &trail.entry,
            caller: &trail.caller,
            request_id: trail.request_id,
            bytes_in: trail.bytes_in,
            cancelled: trail.cancel.cause(),
        };
        self.record(&seen, took, bytes_out, failed);
    }
}

/// What the caller saw: a call whose caller had gone, or gave up waiting, did not end well for it.
fn outcome(seen: &Seen<'_>, failed: Option<&Error>) -> &'static str {
    match (seen.cancelled, failed) {
        (Some(Cause::Cancelled), _) => Code::Cancelled.label(),
        (Some(Cause::Disconnected), _) => "disconnected",
        (Some(Cause::Deadline), _) => Code::DeadlineExceeded.label(),
        (Some(Cause::Shutdown), _) => "shutdown",
        (None, Some(error)) => error.code.label(),
        (None, None) => "ok",
    }
}

fn log(seen: &Seen<'_>, error: &Error) {
    let (method, caller, outcome) = (&seen.entry.name, &seen.caller.name, error.code.label());
    let request_id = format!("{:x}", seen.request_id);
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
         bytes_in, bytes_out, run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
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
            number(row.sum.calls),
            micros(row.sum.took),
            micros(row.sum.took_max),
            number(row.sum.bytes_in),
            number(row.sum.bytes_out),
            row.caller.run.as_deref(),
        ])?;
    }
    Ok(())
}
