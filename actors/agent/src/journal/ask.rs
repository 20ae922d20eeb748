//! What callers ask about runs: lists, events, and what a person decides.

use protocol::Error;
use serde_json::{Value, json};
use store::Outlasts;
use store::rusqlite::{self, OptionalExtension as _, Row as SqlRow, params};

use super::runs::{RUN, run};
use super::{Journal, STEP, put, step, tell, unknown};
use crate::record::{Event, Row, Run, State, StepState, Told};

/// Which runs are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) before: Option<i64>,
    pub(crate) limit: usize,
    pub(crate) workflow: Option<String>,
    pub(crate) state: Option<State>,
    /// Whose: those of this name, or of this tier.
    pub(crate) owner: String,
    pub(crate) tier: Option<String>,
}

/// What a person decided about a step.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    /// It is done, and this is what it came to.
    Done(Value),
    /// It may be repeated.
    Repeat,
    /// It fails.
    Fail(Value),
}

fn told(row: &SqlRow<'_>) -> rusqlite::Result<Told> {
    let data: Option<String> = row.get(5)?;
    Ok(Told {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        path: row.get(2)?,
        what: row.get(3)?,
        text: row.get(4)?,
        data: data.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| unknown("data"))?,
    })
}

impl Journal {
    /// The newest runs first.
    pub(crate) async fn runs(&self, wanted: Wanted) -> Result<Vec<Run>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(&format!(
                "SELECT {RUN} FROM agent_runs WHERE seq < ?1 AND (?2 IS NULL OR workflow = ?2) \
                 AND (?3 IS NULL OR state = ?3) AND (owner = ?4 OR tier = ?5) ORDER BY seq DESC LIMIT ?6"
            ))?;
            let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
            let state = wanted.state.map(State::word);
            let before = wanted.before.unwrap_or(i64::MAX);
            let found = params![before, wanted.workflow, state, wanted.owner, wanted.tier, limit];
            asked.query_map(found, run)?.collect()
        })
        .await
    }

    /// What happened in a run after `after`, oldest first.
    pub(crate) async fn events(&self, seq: i64, after: i64, limit: usize) -> Result<Vec<Told>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(
                "SELECT seq, at_ms, path, what, text, data FROM agent_events WHERE run = ?1 AND seq > ?2 \
                 ORDER BY seq LIMIT ?3",
            )?;
            asked.query_map(params![seq, after, i64::try_from(limit).unwrap_or(i64::MAX)], told)?.collect()
        })
        .await
    }

    /// What happened last, oldest first.
    pub(crate) async fn last_events(&self, seq: i64, limit: usize) -> Result<Vec<Told>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(
                "SELECT seq, at_ms, path, what, text, data FROM agent_events WHERE run = ?1 ORDER BY seq DESC LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found: rusqlite::Result<Vec<_>> = asked.query_map(params![seq, limit], told)?.collect();
            found.map(|mut found| {
                found.reverse();
                found
            })
        })
        .await
    }

    /// Steps that wait for a person.
    pub(crate) async fn questions(&self, seq: i64) -> Result<Vec<Row>, Error> {
        self.read(move |db| {
            let mut asked = db.prepare_cached(&format!(
                "SELECT {STEP} FROM agent_steps WHERE run = ?1 AND state = 'asks' ORDER BY begun_ms, path"
            ))?;
            asked.query_map([seq], step)?.collect()
        })
        .await
    }

    /// What a person decided about a step that waits for that; `false` when it does not (any more).
    pub(crate) async fn decide(
        &self,
        seq: i64,
        path: &str,
        decision: Decision,
        text: String,
    ) -> Result<bool, Error> {
        let path = path.to_owned();
        self.write(Outlasts::PowerCut, move |db| {
            let found = db
                .prepare_cached(&format!(
                    "SELECT {STEP} FROM agent_steps WHERE run = ?1 AND path = ?2 AND state = 'asks'"
                ))?
                .query_row(params![seq, path], step)
                .optional()?;
            let Some(row) = found else { return Ok(false) };
            let (state, outcome) = match &decision {
                Decision::Done(outcome) => (StepState::Done, Some(outcome.clone())),
                Decision::Repeat => (StepState::Granted, None),
                Decision::Fail(failure) => (StepState::Failed, Some(failure.clone())),
            };
            put(db, seq, &Row { state, outcome, until_ms: None, ..row })?;
            let mut event = Event::new(&path, "decided", text.clone());
            event.data = Some(json!({ "state": state.word() }));
            tell(db, seq, &[event])?;
            Ok(true)
        })
        .await
    }
}
