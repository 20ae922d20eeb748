//! Jobs, definitions and plans in the state file. A change of state is committed before anybody is told of it.

mod kept;

use jiff::Timestamp;
use protocol::Error;
use serde_json::{from_str, to_string};
use store::rusqlite::{self, Connection, OptionalExtension as _, Row, params};
use store::{Outlasts, Store, StoreError};

use crate::job::{Job, Outcome, State, Task};
use crate::progress::Progress;
use crate::verb::Verb;

/// Lines of a job that are kept, the newest.
const LINES_KEPT: i64 = 500;

/// The longest line.
const LINE_CHARS: usize = 1000;

/// The way to the tables.
#[derive(Clone)]
pub(crate) struct Journal(Store);

/// A job that has a name.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) caller: String,
    pub(crate) description: String,
    pub(crate) task: Task,
    pub(crate) changed_ms: i64,
}

/// What a job would do, as somebody saw it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) caller: String,
    pub(crate) task: Task,
    pub(crate) fingerprint: String,
    pub(crate) created_ms: i64,
}

const COLUMNS: &str = "seq, id, name, caller, tier, verb, source, destination, options, state, message, attempt, \
                       created_ms, started_ms, ended_ms, return_code, progress";

pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn unusable(error: StoreError) -> Error {
    Error::internal(error)
}

/// Of a row that a version after this one wrote.
fn unknown(what: &str) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnName(what.to_owned())
}

fn task(row: &Row<'_>, from: usize) -> rusqlite::Result<Task> {
    let (verb, options): (String, String) = (row.get(from)?, row.get(from + 3)?);
    Ok(Task {
        verb: Verb::of(&verb).ok_or_else(|| unknown("verb"))?,
        source: row.get(from + 1)?,
        destination: row.get(from + 2)?,
        options: from_str(&options).map_err(|_| unknown("options"))?,
    })
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let (state, progress): (String, String) = (row.get(9)?, row.get(16)?);
    Ok(Job {
        seq: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        caller: row.get(3)?,
        tier: row.get(4)?,
        task: task(row, 5)?,
        state: State::of(&state).ok_or_else(|| unknown("state"))?,
        message: row.get(10)?,
        attempt: row.get(11)?,
        created_ms: row.get(12)?,
        started_ms: row.get(13)?,
        ended_ms: row.get(14)?,
        return_code: row.get(15)?,
        progress: from_str(&progress).unwrap_or_default(),
    })
}

fn log(db: &Connection, id: &str, line: &str) -> rusqlite::Result<()> {
    let line: String = line.chars().take(LINE_CHARS).collect();
    db.prepare_cached("INSERT INTO sync_log (job, at_ms, line) VALUES (?1, ?2, ?3)")?.execute(params![
        id,
        now(),
        line
    ])?;
    db.prepare_cached(
        "DELETE FROM sync_log WHERE job = ?1 AND seq <= \
         (SELECT seq FROM sync_log WHERE job = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![id, LINES_KEPT])?;
    Ok(())
}

fn interrupt(db: &Connection, id: &str) -> rusqlite::Result<()> {
    let changed = db.execute(
        "UPDATE sync_jobs SET state = 'interrupted', ended_ms = ?2, \
         message = 'llmbasedos ended in the middle of it; mcp.sync.resume goes on' \
         WHERE id = ?1 AND state IN ('queued', 'running', 'stopping')",
        params![id, now()],
    )?;
    if changed == 1 { log(db, id, "interrupted: llmbasedos ended in the middle of it") } else { Ok(()) }
}

impl Journal {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Asks, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || store.read_blocking(ask)).await;
        asked.map_err(Error::internal)?.map_err(unusable)
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.0.write(change).await.map_err(unusable)
    }

    // === Jobs ===

    /// A new job, which waits for its turn. `plan` is used up with it; `false` when somebody else has used it.
    pub(crate) async fn begin(&self, new: Job, plan: Option<String>) -> Result<bool, Error> {
        self.write(move |db| {
            if let Some(plan) = plan
                && db.execute("DELETE FROM sync_plans WHERE id = ?1", [plan])? == 0
            {
                return Ok(false);
            }
            let text = |value: serde_json::Result<String>| value.map_err(|_| unknown("json"));
            db.execute(
                "INSERT INTO sync_jobs (id, name, caller, tier, verb, source, destination, options, state, message, \
                 attempt, created_ms, progress) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12)",
                params![
                    new.id, new.name, new.caller, new.tier, new.task.verb.word(), new.task.source,
                    new.task.destination, text(to_string(&new.task.options))?, State::Queued.word(), new.message,
                    new.created_ms, text(to_string(&new.progress))?
                ],
            )?;
            log(db, &new.id, &format!("{}, asked for by {}", new.task.description(), new.caller))?;
            Ok(true)
        })
        .await
    }

    /// A job that has ended waits for its turn again; `false` when it is not one that has.
    pub(crate) async fn begin_again(&self, id: &str, caller: &str) -> Result<bool, Error> {
        let (id, caller) = (id.to_owned(), caller.to_owned());
        self.write(move |db| {
            let changed = db.execute(
                "UPDATE sync_jobs SET state = 'queued', message = 'waits for its turn', attempt = attempt + 1, \
                 ended_ms = NULL, return_code = NULL \
                 WHERE id = ?1 AND state IN ('failed', 'stopped', 'interrupted')",
                [&id],
            )?;
            if changed == 1 {
                log(db, &id, &format!("resumed by {caller}"))?;
            }
            Ok(changed == 1)
        })
        .await
    }

    /// It runs.
    pub(crate) async fn started(&self, id: &str, message: &str) -> Result<(), Error> {
        let (id, message) = (id.to_owned(), message.to_owned());
        self.write(move |db| {
            db.execute(
                "UPDATE sync_jobs SET state = 'running', message = ?2, started_ms = ?3 WHERE id = ?1",
                params![id, message, now()],
            )?;
            log(db, &id, &message)
        })
        .await
    }

    /// It was told to stop.
    pub(crate) async fn stopping(&self, id: &str, caller: &str) -> Result<(), Error> {
        let (id, caller) = (id.to_owned(), caller.to_owned());
        self.write(move |db| {
            db.execute(
                "UPDATE sync_jobs SET state = 'stopping', message = 'was told to stop' \
                 WHERE id = ?1 AND state IN ('queued', 'running')",
                [&id],
            )?;
            log(db, &id, &format!("told to stop by {caller}"))
        })
        .await
    }

    /// How far it is. Not waited for, and it may be lost in a power cut: the next one is a second away.
    pub(crate) fn reached(&self, id: &str, progress: &Progress) {
        let Ok(text) = to_string(progress) else { return };
        let id = id.to_owned();
        let change = move |db: &Connection| {
            db.prepare_cached("UPDATE sync_jobs SET progress = ?2 WHERE id = ?1")?.execute(params![id, text])
        };
        let _ = self.0.submit(Outlasts::Crash, change, |_| {});
    }

    /// Something that it said.
    pub(crate) fn said(&self, id: &str, line: String) {
        let id = id.to_owned();
        let _ = self.0.submit(Outlasts::Crash, move |db| log(db, &id, &line), |_| {});
    }

    /// It is over.
    pub(crate) async fn ended(&self, id: &str, outcome: Outcome, progress: Progress) -> Result<(), Error> {
        let id = id.to_owned();
        self.write(move |db| {
            let progress = to_string(&progress).map_err(|_| unknown("json"))?;
            db.execute(
                "UPDATE sync_jobs SET state = ?2, message = ?3, ended_ms = ?4, return_code = ?5, progress = ?6 \
                 WHERE id = ?1",
                params![id, outcome.state.word(), outcome.message, now(), outcome.return_code, progress],
            )?;
            log(db, &id, &format!("{}: {}", outcome.state.word(), outcome.message))
        })
        .await
    }

    /// Whatever was under way when the process that ran it ended is interrupted.
    pub(crate) async fn interrupt_all(&self) -> Result<usize, Error> {
        self.write(|db| {
            let mut found =
                db.prepare("SELECT id FROM sync_jobs WHERE state IN ('queued', 'running', 'stopping')")?;
            let ids = found.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            for id in &ids {
                interrupt(db, id)?;
            }
            Ok(ids.len())
        })
        .await
    }

    /// The task that ran it is gone. Not waited for: the next start would find it too.
    pub(crate) fn lost(&self, id: &str) {
        let id = id.to_owned();
        let _ = self.0.submit(Outlasts::PowerCut, move |db| interrupt(db, &id), |_| {});
    }

    /// Forgets what ended long ago.
    pub(crate) async fn forget(&self, days: u32, jobs: u32) -> Result<(), Error> {
        let before = now() - i64::from(days) * 86_400_000;
        self.write(move |db| {
            db.execute(
                "DELETE FROM sync_jobs WHERE ended_ms IS NOT NULL AND (ended_ms < ?1 OR seq <= \
                 (SELECT seq FROM sync_jobs ORDER BY seq DESC LIMIT 1 OFFSET ?2))",
                params![before, jobs],
            )
            .map(drop)
        })
        .await
    }

    pub(crate) async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        let id = id.to_owned();
        self.read(move |db| {
            db.query_row(&format!("SELECT {COLUMNS} FROM sync_jobs WHERE id = ?1"), [id], job).optional()
        })
        .await
    }

    /// The newest jobs before `before`, of those that are `active` or of all; by the definition's name.
    pub(crate) async fn jobs(
        &self,
        before: i64,
        limit: usize,
        name: Option<String>,
    ) -> Result<Vec<Job>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM sync_jobs WHERE seq < ?1 AND (?2 IS NULL OR name = ?2) ORDER BY seq DESC LIMIT ?3"
            ))?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            asked.query_map(params![before, name, limit], job)?.collect()
        })
        .await
    }

    /// What a job said last, oldest first.
    pub(crate) async fn lines(&self, id: &str, count: usize) -> Result<Vec<String>, Error> {
        let id = id.to_owned();
        self.read(move |db| {
            let mut asked = db.prepare_cached(
                "SELECT at_ms, line FROM (SELECT seq, at_ms, line FROM sync_log WHERE job = ?1 ORDER BY seq DESC LIMIT ?2) \
                 ORDER BY seq",
            )?;
            let line = |row: &Row<'_>| {
                let (at, line): (i64, String) = (row.get(0)?, row.get(1)?);
                Ok(format!("{} {line}", time(at)))
            };
            asked.query_map(params![id, i64::try_from(count).unwrap_or(i64::MAX)], line)?.collect()
        })
        .await
    }
}

/// RFC 3339, in UTC.
pub(crate) fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
