//! Brings the tables up to date, one numbered step after the other, all or nothing.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// Each step once released is frozen: a change is a new step.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001_spine.sql"),
    include_str!("../migrations/0002_llm.sql"),
    include_str!("../migrations/0003_index.sql"),
    include_str!("../migrations/0004_model_names.sql"),
    include_str!("../migrations/0005_mail.sql"),
    include_str!("../migrations/0006_sync.sql"),
    include_str!("../migrations/0007_agent.sql"),
    include_str!("../migrations/0008_agent_mail.sql"),
];

pub(crate) fn run(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    // Immediate: of two processes that start at once, one waits and then finds the work done.
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: u32 = step.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let known = u32::try_from(STEPS.len()).expect("a handful of steps");
    if found > known {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known });
    }
    for sql in STEPS.iter().skip(found as usize) {
        step.execute_batch(sql).map_err(failed)?;
    }
    step.pragma_update(None, "user_version", known).map_err(failed)?;
    step.commit().map_err(failed)
}
