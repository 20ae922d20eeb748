//! Runs and their steps in the state file. What is about to be done is committed before it is done, and what it came to
//! before anything builds on it.

mod ask;
mod mail;
mod runs;

pub(crate) use ask::{Decision, Wanted};
pub(crate) use mail::{MailFolder, Seen};
pub(crate) use runs::Ticket;

use std::time::Duration;

use jiff::Timestamp;
use protocol::Error;
use store::rusqlite::{self, Connection, Row as SqlRow, params};
use store::{Outlasts, Store, StoreError};

use crate::record::{Event, Row, State, StepState};

/// The longest text of an event.
const TEXT_CHARS: usize = 4000;

/// The way to the tables.
#[derive(Clone)]
pub(crate) struct Journal(Store);

pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// RFC 3339, in UTC.
pub(crate) fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

fn unusable(error: StoreError) -> Error {
    Error::internal(error)
}

/// Of a row that a version after this one wrote.
pub(super) fn unknown(what: &str) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnName(what.to_owned())
}

impl Journal {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Asks, on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || store.read_blocking(ask)).await;
        asked.map_err(Error::internal)?.map_err(unusable)
    }

    /// Writes, and waits while too much waits for the disk: what a run did must not be lost to somebody's burst.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        outlasts: Outlasts,
        change: impl Fn(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        const TRIES: u32 = 200;
        const BETWEEN: Duration = Duration::from_millis(25);
        let mut tries = 0;
        loop {
            let change = change.clone();
            match self.0.write_to(outlasts, move |db| change(db)).await {
                Ok(value) => return Ok(value),
                Err(StoreError::Commit(_)) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(BETWEEN).await;
                }
                Err(error) => return Err(unusable(error)),
            }
        }
    }

    /// Writes down how a step is, and what there is to tell. The number of the last event.
    pub(crate) async fn step(
        &self,
        run: i64,
        row: &Row,
        events: Vec<Event>,
        state: Option<State>,
        outlasts: Outlasts,
    ) -> Result<i64, Error> {
        let row = row.clone();
        self.write(outlasts, move |db| {
            put(db, run, &row)?;
            if let Some(state) = state {
                db.prepare_cached(
                    "UPDATE agent_runs SET state = ?2 WHERE seq = ?1 AND state IN ('running', 'waiting')",
                )?
                .execute(params![run, state.word()])?;
            }
            tell(db, run, &events)
        })
        .await
    }

    /// All steps of a run.
    pub(crate) async fn steps(&self, run: i64) -> Result<Vec<Row>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(&format!("SELECT {STEP} FROM agent_steps WHERE run = ?1"))?;
            asked.query_map([run], step)?.collect()
        })
        .await
    }

    /// One step of a run.
    pub(crate) async fn one_step(&self, run: i64, path: &str) -> Result<Option<Row>, Error> {
        let path = path.to_owned();
        self.read(move |db| {
            use rusqlite::OptionalExtension as _;
            db.prepare_cached(&format!("SELECT {STEP} FROM agent_steps WHERE run = ?1 AND path = ?2"))?
                .query_row(params![run, path], step)
                .optional()
        })
        .await
    }

    /// Nobody works any more on what is below `path`: what was begun there is left as failed.
    pub(crate) async fn abandon(&self, run: i64, path: &str) -> Result<(), Error> {
        let path = path.to_owned();
        self.write(Outlasts::Crash, move |db| {
            db.execute(
                "UPDATE agent_steps SET state = 'failed', until_ms = NULL, \
                 outcome = '{\"kind\":\"abandoned\",\"message\":\"it was given up\",\"code\":null,\"data\":null,\"step\":\"\"}' \
                 WHERE run = ?1 AND state NOT IN ('done', 'failed') \
                 AND (?2 = '' OR substr(path, 1, length(?2) + 1) IN (?2 || '/', ?2 || '[', ?2 || '#'))",
                params![run, path],
            )
            .map(drop)
        })
        .await
    }

    /// One step fewer of a run waits for a person.
    pub(crate) async fn goes_on(&self, run: i64) -> Result<(), Error> {
        self.write(Outlasts::Crash, move |db| {
            db.execute(
                "UPDATE agent_runs SET state = 'running' WHERE seq = ?1 AND state = 'waiting' \
                 AND NOT EXISTS (SELECT 1 FROM agent_steps WHERE run = ?1 AND state = 'asks')",
                [run],
            )
            .map(drop)
        })
        .await
    }

    /// Forgets the oldest events of a run.
    pub(crate) async fn trim(&self, run: i64, keep: usize) -> Result<(), Error> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        self.write(Outlasts::Crash, move |db| {
            db.execute(
                "DELETE FROM agent_events WHERE run = ?1 AND seq <= \
                 (SELECT seq FROM agent_events WHERE run = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
                params![run, keep],
            )
            .map(drop)
        })
        .await
    }
}

const STEP: &str = "path, kind, state, attempt, begun_ms, until_ms, detail, outcome";

fn step(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let (state, outcome): (String, Option<String>) = (row.get(2)?, row.get(7)?);
    Ok(Row {
        path: row.get(0)?,
        kind: row.get(1)?,
        state: StepState::of(&state).ok_or_else(|| unknown("state"))?,
        attempt: row.get(3)?,
        begun_ms: row.get(4)?,
        until_ms: row.get(5)?,
        detail: row.get(6)?,
        outcome: outcome
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| unknown("outcome"))?,
    })
}

fn put(db: &Connection, run: i64, row: &Row) -> rusqlite::Result<()> {
    let outcome = row.outcome.as_ref().map(ToString::to_string);
    db.prepare_cached(
        "INSERT OR REPLACE INTO agent_steps (run, path, kind, state, attempt, begun_ms, until_ms, detail, outcome) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        run,
        row.path,
        row.kind,
        row.state.word(),
        row.attempt,
        row.begun_ms,
        row.until_ms,
        row.detail,
        outcome
    ])?;
    Ok(())
}

fn tell(db: &Connection, run: i64, events: &[Event]) -> rusqlite::Result<i64> {
    let mut insert = db.prepare_cached(
        "INSERT INTO agent_events (run, at_ms, path, what, text, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut last = 0;
    for event in events {
        let text: String = event.text.chars().take(TEXT_CHARS).collect();
        let data = event.data.as_ref().map(ToString::to_string);
        insert.execute(params![run, now(), event.path, event.what, text, data])?;
        last = db.last_insert_rowid();
    }
    Ok(last)
}
