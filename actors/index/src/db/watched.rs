//! The folders and files that are kept current.

use store::rusqlite::{Connection, Result, params};

/// Every path that is watched, in order.
pub(crate) fn watched(db: &Connection) -> Result<Vec<String>> {
    db.prepare_cached("SELECT path FROM index_watched ORDER BY path")?.query_map([], |row| row.get(0))?.collect()
}

/// Watches a path. What lies below one that is watched needs no row of its own.
pub(crate) fn watch(db: &Connection, path: &str, now_ms: i64) -> Result<()> {
    for above in watched(db)? {
        if is_below(path, &above) {
            return Ok(());
        }
        if is_below(&above, path) {
            db.execute("DELETE FROM index_watched WHERE path = ?1", [above])?;
        }
    }
    db.execute("INSERT INTO index_watched (path, added_ms) VALUES (?1, ?2)", params![path, now_ms]).map(drop)
}

/// Watches a path no longer, nor anything below it; how many rows that were. What is above it stays.
pub(crate) fn unwatch(db: &Connection, path: &str) -> Result<usize> {
    let mut gone = 0;
    for below in watched(db)? {
        if is_below(&below, path) {
            gone += db.execute("DELETE FROM index_watched WHERE path = ?1", [below])?;
        }
    }
    Ok(gone)
}

/// Whether `path` is `above` or lies below it.
pub(crate) fn is_below(path: &str, above: &str) -> bool {
    let above = above.trim_end_matches('/');
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
