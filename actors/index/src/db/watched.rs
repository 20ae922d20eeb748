//! The folders and files that are kept current.

use store::rusqlite::{Connection, Result, params};

/// A path that is kept current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) path: String,
    /// With everything below it, and not only what is in it.
    pub(crate) deep: bool,
}

/// Every path that is watched, in order.
pub(crate) fn watched(db: &Connection) -> Result<Vec<Watched>> {
    db.prepare_cached("SELECT path, deep FROM index_watched ORDER BY path")?
        .query_map([], |row| Ok(Watched { path: row.get(0)?, deep: row.get(1)? }))?
        .collect()
}

/// Watches a path. What another one covers needs no row of its own.
pub(crate) fn watch(db: &Connection, wanted: &Watched, now_ms: i64) -> Result<()> {
    let there = watched(db)?;
    if there.iter().any(|other| other.deep && is_below(&wanted.path, &other.path)) {
        return Ok(());
    }
    for other in there.iter().filter(|other| wanted.deep && is_below(&other.path, &wanted.path)) {
        db.execute("DELETE FROM index_watched WHERE path = ?1", [&other.path])?;
    }
    db.execute(
        "INSERT INTO index_watched (path, deep, added_ms) VALUES (?1, ?2, ?3) \
         ON CONFLICT (path) DO UPDATE SET deep = max(deep, ?2)",
        params![wanted.path, wanted.deep, now_ms],
    )
    .map(drop)
}

/// Watches a path no longer, nor anything below it; how many rows that were. What is above it stays.
pub(crate) fn unwatch(db: &Connection, path: &str) -> Result<usize> {
    let mut gone = 0;
    for below in watched(db)?.iter().filter(|below| is_below(&below.path, path)) {
        gone += db.execute("DELETE FROM index_watched WHERE path = ?1", [&below.path])?;
    }
    Ok(gone)
}

/// Whether `path` is `above` or lies below it.
pub(crate) fn is_below(path: &str, above: &str) -> bool {
    let above = above.trim_end_matches('/');
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a file at `path` is kept current because of one of these.
pub(crate) fn covers(watched: &[Watched], path: &str) -> bool {
    watched.iter().any(|one| {
        if one.deep {
            return is_below(path, &one.path);
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        path == one.path || folder == one.path.trim_end_matches('/')
    })
}
