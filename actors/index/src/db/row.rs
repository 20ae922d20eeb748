//! What is read of files and their chunks.

use store::rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

/// A file as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) path: String,
    /// Device and inode.
    pub(crate) identity: (u64, u64),
    pub(crate) bytes: u64,
    pub(crate) modified_ns: i64,
    pub(crate) hash: Option<[u8; 32]>,
    pub(crate) kind: String,
    pub(crate) skipped: Option<String>,
}

/// A place where a text stands, with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) text_id: u64,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) modified_ns: i64,
    pub(crate) trail: String,
    pub(crate) text: String,
    pub(crate) bytes: (u64, u64),
    pub(crate) lines: (u32, u32),
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) files: u64,
    pub(crate) skipped: u64,
    pub(crate) texts: u64,
    pub(crate) chunks: u64,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            files: sum.files + one.files,
            skipped: sum.skipped + one.skipped,
            texts: sum.texts + one.texts,
            chunks: sum.chunks + one.chunks,
        })
    }
}

const KNOWN: &str = "id, path, device, inode, bytes, modified_ns, hash, kind, skipped, indexed_ms";

/// Every file at or below `path`, in the order of paths, and when it was read, in milliseconds since 1970.
pub(crate) fn known_below(db: &Connection, path: &str) -> Result<Vec<(Known, i64)>> {
    let (first, end) = below(path);
    let sql = format!(
        "SELECT {KNOWN} FROM index_files WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path"
    );
    db.prepare_cached(&sql)?
        .query_map(params![path, first, end], |row| Ok((known(row)?, row.get(9)?)))?
        .collect()
}

/// The file of this path.
pub(crate) fn known_at(db: &Connection, path: &str) -> Result<Option<Known>> {
    let sql = format!("SELECT {KNOWN} FROM index_files WHERE path = ?1");
    db.prepare_cached(&sql)?.query_row([path], known).optional()
}

/// Bounds between which the paths below `path` lie: `/` is 0x2f, and `0` comes next.
pub(crate) fn below(path: &str) -> (String, String) {
    let path = path.trim_end_matches('/');
    (format!("{path}/"), format!("{path}0"))
}

fn known(row: &Row<'_>) -> Result<Known> {
    let unsigned = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    Ok(Known {
        id: row.get(0)?,
        path: row.get(1)?,
        identity: (unsigned(2)?, unsigned(3)?),
        bytes: unsigned(4)?,
        modified_ns: row.get(5)?,
        hash: row.get(6)?,
        kind: row.get(7)?,
        skipped: row.get(8)?,
    })
}

/// Every place where each of these texts stands, in the order of the texts, then of paths. `each` is told, with the
/// place of its text among them, until it says that it has enough: what comes after is not read.
pub(crate) fn hits(db: &Connection, texts: &[u64], mut each: impl FnMut(usize, Hit) -> bool) -> Result<()> {
    let wanted: Vec<String> = texts.iter().map(u64::to_string).collect();
    // CROSS JOIN: the texts in their order, and no more of them than are asked for.
    let mut rows = db.prepare_cached(
        "SELECT w.key, f.path, f.kind, f.modified_ns, t.trail, t.text, c.first_byte, c.end_byte, c.first_line, \
         c.last_line, t.id FROM json_each(?1) w CROSS JOIN index_texts t ON t.id = w.value \
         CROSS JOIN index_chunks c ON c.text = t.id CROSS JOIN index_files f ON f.id = c.file",
    )?;
    let mut rows = rows.query([format!("[{}]", wanted.join(","))])?;
    let (mut of_one, mut nth) = (Vec::new(), 0);
    let mut tell = |nth: u32, of_one: &mut Vec<Hit>| {
        of_one.sort_by(|one, other| (&one.path, one.bytes).cmp(&(&other.path, other.bytes)));
        of_one.drain(..).all(|hit| each(nth as usize, hit))
    };
    while let Some(row) = rows.next()? {
        let next: u32 = row.get(0)?;
        if next != nth && !tell(nth, &mut of_one) {
            return Ok(());
        }
        nth = next;
        let unsigned = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        of_one.push(Hit {
            text_id: unsigned(10)?,
            path: row.get(1)?,
            kind: row.get(2)?,
            modified_ns: row.get(3)?,
            trail: row.get(4)?,
            text: row.get(5)?,
            bytes: (unsigned(6)?, unsigned(7)?),
            lines: (row.get(8)?, row.get(9)?),
        });
    }
    tell(nth, &mut of_one);
    Ok(())
}

/// Every pair of text and file, in the order of texts: `each` is told.
pub(crate) fn owners(db: &Connection, mut each: impl FnMut(u64, i64)) -> Result<()> {
    let mut rows = db.prepare_cached("SELECT DISTINCT text, file FROM index_chunks ORDER BY text")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?);
    }
    Ok(())
}

/// How much there is at or below `path`.
pub(crate) fn counts(db: &Connection, path: &str) -> Result<Counts> {
    let (first, end) = below(path);
    db.prepare_cached(
        "WITH f AS (SELECT id, skipped FROM index_files WHERE path = ?1 OR (path >= ?2 AND path < ?3)) \
         SELECT (SELECT count(*) FROM f WHERE skipped IS NULL), (SELECT count(*) FROM f WHERE skipped IS NOT NULL), \
         (SELECT count(DISTINCT c.text) FROM f JOIN index_chunks c ON c.file = f.id), \
         (SELECT count(*) FROM f JOIN index_chunks c ON c.file = f.id)",
    )?
    .query_row(params![path, first, end], |row| {
        let unsigned = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok(Counts { files: unsigned(0)?, skipped: unsigned(1)?, texts: unsigned(2)?, chunks: unsigned(3)? })
    })
}
