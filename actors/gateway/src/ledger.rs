//! The ledger: the one writer of what must outlast the process, quota counters and the audit trail.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use store::rusqlite::{Connection, params};
use supervisor::Tasks;

use crate::audit::{self, Row};
use crate::gate::Gate;
use crate::rate::Left;

/// How often the ledger writes. What a crash can lose of the trail is this much; what it can give back of a
/// quota, too.
const EVERY: Duration = Duration::from_millis(250);

/// How long the last write waits for calls under way. One that hangs has no row to leave.
const LAST_ROWS_WITHIN: Duration = Duration::from_millis(500);

/// How long audit rows are kept.
const KEEP: Duration = Duration::from_hours(24 * 90);

/// Prune once in so many writes: about once an hour of traffic.
const PRUNE_EVERY: u64 = 14_400;

/// Writes quota counters and the audit trail.
pub(crate) struct Ledger;

pub(crate) enum Message {
    /// Time to write.
    Write,
}

pub(crate) struct State {
    gate: Gate,
    written: Vec<(String, String, Left)>,
    writes: u64,
    _tasks: Tasks,
}

impl Actor for Ledger {
    type Msg = Message;
    type State = State;
    type Arguments = (Gate, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        (gate, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let audit = Arc::clone(&gate.0.audit);
        tasks.spawn(async move {
            loop {
                // First of all without being told: a ledger that died may have left rows behind, and was told of
                // them already.
                tokio::time::sleep(EVERY).await;
                if myself.cast(Message::Write).is_err() {
                    return;
                }
                // A daemon that nobody calls does not wake up. Every call that uses up quota leaves a row.
                audit.dirty().await;
            }
        });
        Ok(State { gate, written: Vec::new(), writes: 0, _tasks: tasks })
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        Message::Write: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.write().await;
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        // Calls that were given up a moment ago, because the daemon stops, are just about to leave their rows.
        let none_left = async {
            while state.gate.0.audit.totals().in_flight > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(LAST_ROWS_WITHIN, none_left).await;
        state.write().await;
        Ok(())
    }
}

impl State {
    /// Waits for the commit: writing is all that this actor does, and the next write must not overtake it.
    async fn write(&mut self) {
        let rows = self.gate.0.audit.take();
        let mut rates = self.gate.0.rates.load().snapshot();
        rates.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        if rows.is_empty() && rates == self.written {
            return;
        }
        self.writes += 1;
        let prune = self.writes % PRUNE_EVERY == 1;
        let changed: Vec<_> = rates.iter().filter(|rate| !self.written.contains(rate)).cloned().collect();
        match self.gate.0.store.write(move |db| write(db, &rows, &changed, prune)).await {
            Ok(()) => self.written = rates,
            Err(error) => tracing::error!(%error, "audit rows lost: the state file cannot be written"),
        }
    }
}

fn write(
    db: &Connection,
    rows: &[Row],
    rates: &[(String, String, Left)],
    prune: bool,
) -> store::rusqlite::Result<()> {
    audit::write(db, rows)?;
    let mut upsert = db.prepare_cached(
        "INSERT INTO rates (caller, tier, remaining, at_ms) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET remaining = excluded.remaining, at_ms = excluded.at_ms",
    )?;
    for (caller, tier, left) in rates {
        upsert.execute(params![caller, tier, left.remaining, left.at.as_millisecond()])?;
    }
    if prune {
        let end = Timestamp::now() - KEEP;
        db.execute("DELETE FROM audit WHERE at_ms < ?1", [end.as_millisecond()])?;
        db.execute("DELETE FROM rates WHERE at_ms < ?1", [end.as_millisecond()])?;
    }
    Ok(())
}

/// What was left when the ledger last wrote.
pub(crate) fn read_rates(db: &Connection) -> store::rusqlite::Result<Vec<(String, String, Left)>> {
    let mut statement = db.prepare("SELECT caller, tier, remaining, at_ms FROM rates")?;
    let rows = statement.query_map([], |row| {
        let at = Timestamp::from_millisecond(row.get(3)?).unwrap_or(Timestamp::MIN);
        Ok((row.get(0)?, row.get(1)?, Left { remaining: row.get(2)?, at }))
    })?;
    rows.collect()
}
