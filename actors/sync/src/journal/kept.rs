//! Definitions and plans.

use protocol::Error;
use serde_json::{from_str, to_string};
use store::rusqlite::{OptionalExtension as _, Row, params};

use super::{Definition, Journal, Plan, task, unknown};
use crate::planning::PLAN_KEPT_MS;

/// Plans that are kept at one time; a person looks at one.
const PLANS_KEPT: i64 = 1000;

/// Jobs that may have a name.
const DEFINITIONS_MAX: i64 = 1000;

impl Journal {
    // === Definitions ===

    /// Keeps a definition; `false` when there is one of that name and it is not to be replaced, or there are too many.
    pub(crate) async fn define(&self, new: Definition, replace: bool) -> Result<bool, Error> {
        self.write(move |db| {
            let known = db.query_row("SELECT 1 FROM sync_definitions WHERE name = ?1", [&new.name], |_| Ok(())).optional()?;
            let count: i64 = db.query_row("SELECT count(*) FROM sync_definitions", [], |row| row.get(0))?;
            if (known.is_some() && !replace) || (known.is_none() && count >= DEFINITIONS_MAX) {
                return Ok(false);
            }
            let options = to_string(&new.task.options).map_err(|_| unknown("json"))?;
            db.execute(
                "INSERT OR REPLACE INTO sync_definitions (name, caller, description, verb, source, destination, options, \
                 changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    new.name, new.caller, new.description, new.task.verb.word(), new.task.source,
                    new.task.destination, options, new.changed_ms
                ],
            )?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn undefine(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(move |db| db.execute("DELETE FROM sync_definitions WHERE name = ?1", [name]).map(drop))
            .await
    }

    pub(crate) async fn definitions(&self) -> Result<Vec<Definition>, Error> {
        self.read(|db| {
            let mut asked = db.prepare(
                "SELECT name, caller, description, changed_ms, verb, source, destination, options \
                 FROM sync_definitions ORDER BY name",
            )?;
            let read = |row: &Row<'_>| {
                Ok(Definition {
                    name: row.get(0)?,
                    caller: row.get(1)?,
                    description: row.get(2)?,
                    changed_ms: row.get(3)?,
                    task: task(row, 4)?,
                })
            };
            asked.query_map([], read)?.collect()
        })
        .await
    }

    // === Plans ===

    /// Keeps a plan; of those before it only the newest, and none that is too old to be run.
    pub(crate) async fn keep_plan(&self, plan: Plan) -> Result<(), Error> {
        self.write(move |db| {
            db.execute("DELETE FROM sync_plans WHERE created_ms < ?1", [plan.created_ms - PLAN_KEPT_MS])?;
            db.execute(
                "DELETE FROM sync_plans WHERE id IN \
                 (SELECT id FROM sync_plans ORDER BY created_ms DESC LIMIT -1 OFFSET ?1)",
                [PLANS_KEPT],
            )?;
            let task = to_string(&plan.task).map_err(|_| unknown("json"))?;
            db.execute(
                "INSERT INTO sync_plans (id, caller, job, fingerprint, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![plan.id, plan.caller, task, plan.fingerprint, plan.created_ms],
            )
            .map(drop)
        })
        .await
    }

    pub(crate) async fn plan(&self, id: &str) -> Result<Option<Plan>, Error> {
        let id = id.to_owned();
        self.read(move |db| {
            let read = |row: &Row<'_>| {
                let task: String = row.get(2)?;
                Ok(Plan {
                    id: row.get(0)?,
                    caller: row.get(1)?,
                    task: from_str(&task).map_err(|_| unknown("job"))?,
                    fingerprint: row.get(3)?,
                    created_ms: row.get(4)?,
                })
            };
            db.query_row(
                "SELECT id, caller, job, fingerprint, created_ms FROM sync_plans WHERE id = ?1",
                [id],
                read,
            )
            .optional()
        })
        .await
    }
}
