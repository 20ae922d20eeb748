//! Runs as a whole: made, begun, ended, forgotten.

use protocol::Error;
use serde_json::Value;
use store::Outlasts;
use store::rusqlite::{self, Connection, OptionalExtension as _, Row as SqlRow, params};

use super::{Journal, now, tell, unknown};
use crate::record::{Event, NewRun, Run, State};

pub(super) const RUN: &str = "seq, id, workflow, caller, inputs, cause, parent, depth, state, created_ms, started_ms, \
                              ended_ms, output, error, crashes";

pub(super) fn run(row: &SqlRow<'_>) -> rusqlite::Result<Run> {
    let text = |at: usize| -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = row.get(at)?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| unknown("json"))
    };
    let (owner, state): (String, String) = (row.get(3)?, row.get(8)?);
    Ok(Run {
        seq: row.get(0)?,
        id: row.get(1)?,
        workflow: row.get(2)?,
        owner: serde_json::from_str(&owner).map_err(|_| unknown("caller"))?,
        inputs: text(4)?.unwrap_or_default(),
        cause: text(5)?.unwrap_or_default(),
        parent: row.get(6)?,
        depth: row.get(7)?,
        state: State::of(&state).ok_or_else(|| unknown("state"))?,
        created_ms: row.get(9)?,
        started_ms: row.get(10)?,
        ended_ms: row.get(11)?,
        output: text(12)?,
        error: text(13)?,
        crashes: row.get(14)?,
    })
}

pub(super) fn insert(db: &Connection, new: &NewRun) -> rusqlite::Result<bool> {
    let hash = blake3::hash(new.definition.as_bytes());
    db.prepare_cached("INSERT OR IGNORE INTO agent_definitions (hash, definition) VALUES (?1, ?2)")?
        .execute(params![hash.as_bytes(), &*new.definition])?;
    let owner = serde_json::to_string(&new.owner).map_err(|_| unknown("caller"))?;
    let made = db
        .prepare_cached(
            "INSERT OR IGNORE INTO agent_runs (id, workflow, definition, caller, owner, tier, inputs, cause, parent, \
             depth, state, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', ?11)",
        )?
        .execute(params![
            new.id,
            new.workflow,
            hash.as_bytes(),
            owner,
            new.owner.name(),
            new.owner.tier(),
            new.inputs.to_string(),
            new.cause.to_string(),
            new.parent,
            new.depth,
            now()
        ])?;
    Ok(made == 1)
}

/// What the clerk knows of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) workflow: String,
    /// Runs of its workflow at one time.
    pub(crate) concurrency: Option<u32>,
    /// It is a step of another run, which waits for it.
    pub(crate) is_part: bool,
    /// It was begun before.
    pub(crate) begun: bool,
}

impl Ticket {
    /// Of a run that is a step of another.
    pub(crate) fn of_part(run: &Run) -> Self {
        let begun = run.state != State::Pending;
        Self { id: run.id.clone(), workflow: run.workflow.clone(), concurrency: None, is_part: true, begun }
    }
}

impl Journal {
    /// Makes a run, which waits for its turn; `false` when there is one of that id already.
    pub(crate) async fn make(&self, new: NewRun) -> Result<bool, Error> {
        self.write(Outlasts::PowerCut, move |db| insert(db, &new)).await
    }

    /// The same for a schedule, which has been looked after up to `last_ms` with it.
    pub(crate) async fn make_due(
        &self,
        new: Option<NewRun>,
        workflow: &str,
        place: usize,
        says: &str,
        last_ms: i64,
    ) -> Result<bool, Error> {
        let (workflow, says) = (workflow.to_owned(), says.to_owned());
        let place = i64::try_from(place).unwrap_or_default();
        self.write(Outlasts::PowerCut, move |db| {
            db.execute(
                "INSERT OR REPLACE INTO agent_schedules (workflow, place, says, last_ms) VALUES (?1, ?2, ?3, ?4)",
                params![workflow, place, says, last_ms],
            )?;
            new.as_ref().map_or(Ok(false), |new| insert(db, new))
        })
        .await
    }

    /// How far a schedule has been looked after, if it said the same then.
    pub(crate) async fn looked_after(
        &self,
        workflow: &str,
        place: usize,
        says: &str,
    ) -> Result<Option<i64>, Error> {
        let (workflow, says) = (workflow.to_owned(), says.to_owned());
        let place = i64::try_from(place).unwrap_or_default();
        self.read(move |db| {
            db.query_row(
                "SELECT last_ms FROM agent_schedules WHERE workflow = ?1 AND place = ?2 AND says = ?3",
                params![workflow, place, says],
                |row| row.get(0),
            )
            .optional()
        })
        .await
    }

    /// The run of this id.
    pub(crate) async fn run(&self, id: &str) -> Result<Option<Run>, Error> {
        let id = id.to_owned();
        self.read(move |db| {
            db.prepare_cached(&format!("SELECT {RUN} FROM agent_runs WHERE id = ?1"))?
                .query_row([id], run)
                .optional()
        })
        .await
    }

    /// What a run was made from.
    pub(crate) async fn definition(&self, seq: i64) -> Result<String, Error> {
        self.read(move |db| {
            db.query_row(
                "SELECT d.definition FROM agent_runs r JOIN agent_definitions d ON d.hash = r.definition WHERE r.seq = ?1",
                [seq],
                |row| row.get(0),
            )
        })
        .await
    }

    /// Runs that are not over, in their order.
    pub(crate) async fn active(&self) -> Result<Vec<Ticket>, Error> {
        self.read(|db| {
            let mut asked = db.prepare(
                "SELECT id, workflow, json_extract(d.definition, '$.concurrency'), parent IS NOT NULL, state <> 'pending' \
                 FROM agent_runs r JOIN agent_definitions d ON d.hash = r.definition \
                 WHERE state IN ('pending', 'running', 'waiting', 'cancelling') ORDER BY seq",
            )?;
            let ticket = |row: &SqlRow<'_>| {
                Ok(Ticket {
                    id: row.get(0)?,
                    workflow: row.get(1)?,
                    concurrency: row.get(2)?,
                    is_part: row.get(3)?,
                    begun: row.get(4)?,
                })
            };
            asked.query_map([], ticket)?.collect()
        })
        .await
    }

    /// Runs of a workflow that are not over, by their causes' `by`.
    pub(crate) async fn active_of(&self, workflow: &str, by: &str) -> Result<Vec<String>, Error> {
        let (workflow, by) = (workflow.to_owned(), by.to_owned());
        self.read(move |db| {
            let mut asked = db.prepare_cached(
                "SELECT id FROM agent_runs WHERE workflow = ?1 AND json_extract(cause, '$.by') = ?2 \
                 AND state IN ('pending', 'running', 'waiting', 'cancelling') ORDER BY seq",
            )?;
            asked.query_map(params![workflow, by], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Runs that are steps of this one and are not over.
    pub(crate) async fn parts(&self, id: &str) -> Result<Vec<String>, Error> {
        let id = id.to_owned();
        self.read(move |db| {
            let mut asked = db.prepare_cached(
                "SELECT id FROM agent_runs WHERE parent = ?1 \
                 AND state IN ('pending', 'running', 'waiting', 'cancelling')",
            )?;
            asked.query_map([id], |row| row.get(0))?.collect()
        })
        .await
    }

    /// A run begins, or goes on.
    pub(crate) async fn begun(&self, seq: i64) -> Result<i64, Error> {
        self.write(Outlasts::Crash, move |db| {
            let first: Option<i64> =
                db.query_row("SELECT started_ms FROM agent_runs WHERE seq = ?1", [seq], |row| row.get(0))?;
            db.execute(
                "UPDATE agent_runs SET started_ms = coalesce(started_ms, ?2), state = CASE \
                 WHEN state = 'cancelling' THEN state \
                 WHEN EXISTS (SELECT 1 FROM agent_steps WHERE run = ?1 AND state = 'asks') THEN 'waiting' \
                 ELSE 'running' END WHERE seq = ?1",
                params![seq, now()],
            )?;
            let text = if first.is_none() { "begun" } else { "goes on from the journal" };
            tell(db, seq, &[Event::new("", "run", text)])
        })
        .await
    }

    /// How a run ended. The number of its last event.
    pub(crate) async fn ended(
        &self,
        seq: i64,
        state: State,
        output: Option<Value>,
        error: Option<Value>,
        text: String,
    ) -> Result<i64, Error> {
        self.write(Outlasts::PowerCut, move |db| {
            let (output, error) =
                (output.as_ref().map(Value::to_string), error.as_ref().map(Value::to_string));
            db.execute(
                "UPDATE agent_runs SET state = ?2, ended_ms = ?3, output = ?4, error = ?5 WHERE seq = ?1",
                params![seq, state.word(), now(), output, error],
            )?;
            tell(db, seq, &[Event::new("", state.word(), text.clone())])
        })
        .await
    }

    /// A run's own work panicked; how often that was so.
    pub(crate) fn crashed(&self, id: &str) {
        let id = id.to_owned();
        // Not waited for: it is told from a drop.
        let change = move |db: &Connection| {
            db.execute("UPDATE agent_runs SET crashes = crashes + 1 WHERE id = ?1", [id]).map(drop)
        };
        let _ = self.0.submit(Outlasts::Crash, change, |_| {});
    }

    /// Somebody asked for a run to stop; how it was before that.
    pub(crate) async fn cancel(&self, id: &str) -> Result<Option<State>, Error> {
        let id = id.to_owned();
        self.write(Outlasts::PowerCut, move |db| {
            let before: Option<(i64, String)> = db
                .query_row("SELECT seq, state FROM agent_runs WHERE id = ?1", [&id], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some((seq, word)) = before else { return Ok(None) };
            let state = State::of(&word).ok_or_else(|| unknown("state"))?;
            match state {
                // Nobody works on it yet.
                State::Pending => {
                    db.execute(
                        "UPDATE agent_runs SET state = 'stopped', ended_ms = ?2 WHERE seq = ?1",
                        params![seq, now()],
                    )?;
                    tell(db, seq, &[Event::new("", "stopped", "stopped before it was begun")])?;
                }
                State::Running | State::Waiting => {
                    db.execute("UPDATE agent_runs SET state = 'cancelling' WHERE seq = ?1", [seq])?;
                    tell(db, seq, &[Event::new("", "run", "is asked to stop")])?;
                }
                _ => {}
            }
            Ok(Some(state))
        })
        .await
    }

    /// A run that failed or was stopped waits for its turn again; what failed in it is to be done again. `false` when it
    /// is not one of those.
    pub(crate) async fn retry(&self, id: &str) -> Result<bool, Error> {
        let id = id.to_owned();
        self.write(Outlasts::PowerCut, move |db| {
            let found: Option<(i64, Option<String>)> = db
                .query_row(
                    "SELECT seq, json_extract(error, '$.step') FROM agent_runs \
                     WHERE id = ?1 AND state IN ('failed', 'stopped')",
                    [&id],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((seq, step)) = found else { return Ok(false) };
            // The step itself, and what is around it; what was caught stays as it was.
            db.execute(
                "DELETE FROM agent_steps WHERE run = ?1 AND state = 'failed' \
                 AND (path = ?2 OR substr(?2, 1, length(path) + 1) IN (path || '/', path || '[', path || '#'))",
                params![seq, step.unwrap_or_default()],
            )?;
            // What is done in the end is done again in the end.
            db.execute("DELETE FROM agent_steps WHERE run = ?1 AND path LIKE 'finally/%'", [seq])?;
            db.execute(
                "UPDATE agent_runs SET state = 'pending', started_ms = NULL, ended_ms = NULL, error = NULL, \
                 output = NULL, crashes = 0 WHERE seq = ?1",
                [seq],
            )?;
            tell(db, seq, &[Event::new("", "run", "is tried again from where it failed")])?;
            Ok(true)
        })
        .await
    }

    /// Forgets what ended long ago, and what nothing was made from any more.
    pub(crate) async fn forget(&self, days: u32, runs: u32) -> Result<(), Error> {
        self.write(Outlasts::Crash, move |db| {
            let before = now() - i64::from(days) * 86_400_000;
            db.execute(
                "DELETE FROM agent_runs WHERE ended_ms IS NOT NULL AND (ended_ms < ?1 OR seq <= \
                 (SELECT seq FROM agent_runs ORDER BY seq DESC LIMIT 1 OFFSET ?2))",
                params![before, runs],
            )?;
            db.execute(
                "DELETE FROM agent_definitions WHERE hash NOT IN (SELECT definition FROM agent_runs)",
                [],
            )
            .map(drop)
        })
        .await
    }
}
