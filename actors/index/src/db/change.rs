//! Puts files into the index and takes them out, each in one transaction.

use store::rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::row::{below, known_at};
use super::words::segmented;

/// A file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) path: String,
    /// Device and inode.
    pub(crate) identity: (u64, u64),
    pub(crate) bytes: u64,
    pub(crate) modified_ns: i64,
    pub(crate) hash: Option<[u8; 32]>,
    pub(crate) kind: String,
    /// Why it has no pieces.
    pub(crate) skipped: Option<String>,
    pub(crate) pieces: Vec<Piece>,
}

/// One chunk of a file.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) hash: [u8; 32],
    pub(crate) trail: String,
    pub(crate) text: String,
    pub(crate) bytes: (u64, u64),
    pub(crate) lines: (u32, u32),
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The file that was put.
    pub(crate) file: Option<i64>,
    /// Texts that stand in it now.
    pub(crate) texts: Vec<u64>,
    /// Files that are no longer there.
    pub(crate) gone_files: Vec<i64>,
    /// Texts that stand nowhere any more, and are forgotten.
    pub(crate) gone_texts: Vec<u64>,
}

/// Puts a file in the place of what was known of its path.
pub(crate) fn put(db: &Connection, read: &Read, now_ms: i64) -> Result<Outcome> {
    let old = known_at(db, &read.path)?.map(|known| known.id);
    let before = old.map(|file| texts_of(db, file)).transpose()?.unwrap_or_default();
    let (device, inode) = read.identity;
    let file = db
        .prepare_cached(
            "INSERT INTO index_files (path, device, inode, bytes, modified_ns, hash, kind, skipped, indexed_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (path) DO UPDATE SET device = ?2, inode = ?3, \
             bytes = ?4, modified_ns = ?5, hash = ?6, kind = ?7, skipped = ?8, indexed_ms = ?9 RETURNING id",
        )?
        .query_row(
            params![
                read.path,
                device.cast_signed(),
                inode.cast_signed(),
                read.bytes.cast_signed(),
                read.modified_ns,
                read.hash,
                read.kind,
                read.skipped,
                now_ms
            ],
            |row| row.get::<_, i64>(0),
        )?;
    db.prepare_cached("DELETE FROM index_chunks WHERE file = ?1")?.execute([file])?;
    let mut texts = Vec::with_capacity(read.pieces.len());
    for (nth, piece) in (0_i64..).zip(&read.pieces) {
        let text = text_of(db, piece)?;
        db.prepare_cached(
            "INSERT INTO index_chunks (file, nth, text, first_byte, end_byte, first_line, last_line) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            file,
            nth,
            text,
            piece.bytes.0.cast_signed(),
            piece.bytes.1.cast_signed(),
            piece.lines.0,
            piece.lines.1
        ])?;
        texts.push(text.cast_unsigned());
    }
    texts.sort_unstable();
    texts.dedup();
    Ok(Outcome { file: Some(file), texts, gone_files: Vec::new(), gone_texts: sweep(db, &before)? })
}

/// Forgets the file of this path.
pub(crate) fn forget(db: &Connection, path: &str) -> Result<Outcome> {
    let Some(known) = known_at(db, path)? else { return Ok(Outcome::default()) };
    let before = texts_of(db, known.id)?;
    db.prepare_cached("DELETE FROM index_files WHERE id = ?1")?.execute([known.id])?;
    Ok(Outcome { gone_files: vec![known.id], gone_texts: sweep(db, &before)?, ..Outcome::default() })
}

/// Forgets at most `most` of the files at and below `path`.
pub(crate) fn forget_below(db: &Connection, path: &str, most: u32) -> Result<Outcome> {
    let (first, end) = below(path);
    let paths: Vec<String> = db
        .prepare_cached(
            "SELECT path FROM index_files WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path LIMIT ?4",
        )?
        .query_map(params![path, first, end, most], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let mut all = Outcome::default();
    for path in paths {
        let one = forget(db, &path)?;
        all.gone_files.extend(one.gone_files);
        all.gone_texts.extend(one.gone_texts);
    }
    Ok(all)
}

/// Gives a file another path and keeps everything else. False when the other path is known too, or the file is not.
pub(crate) fn moved(db: &Connection, file: i64, to: &str) -> Result<bool> {
    db.prepare_cached("UPDATE OR IGNORE index_files SET path = ?2 WHERE id = ?1")?
        .execute(params![file, to])
        .map(|changed| changed == 1)
}

/// Notes that a file whose time or inode changed has the content that it had.
pub(crate) fn touched(
    db: &Connection,
    file: i64,
    (device, inode): (u64, u64),
    bytes: u64,
    modified_ns: i64,
    now_ms: i64,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE index_files SET device = ?2, inode = ?3, bytes = ?4, modified_ns = ?5, indexed_ms = ?6 WHERE id = ?1",
    )?
    .execute(params![
        file,
        device.cast_signed(),
        inode.cast_signed(),
        bytes.cast_signed(),
        modified_ns,
        now_ms
    ])
    .map(drop)
}

/// Has the files at and below `path` read again the next time that they are looked at.
pub(crate) fn distrust(db: &Connection, path: &str) -> Result<usize> {
    let (first, end) = below(path);
    db.prepare_cached(
        "UPDATE index_files SET hash = NULL, modified_ns = 0, indexed_ms = 0 \
         WHERE path = ?1 OR (path >= ?2 AND path < ?3)",
    )?
    .execute(params![path, first, end])
}

/// The text's row, made if there is none.
fn text_of(db: &Connection, piece: &Piece) -> Result<i64> {
    let found = db
        .prepare_cached("SELECT id FROM index_texts WHERE hash = ?1")?
        .query_row([&piece.hash[..]], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO index_texts (hash, trail, text) VALUES (?1, ?2, ?3)")?
        .execute(params![piece.hash, piece.trail, piece.text])?;
    let id = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO index_words (rowid, trail, text) VALUES (?1, ?2, ?3)")?
        .execute(params![id, segmented(&piece.trail), segmented(&piece.text)])?;
    Ok(id)
}

fn texts_of(db: &Connection, file: i64) -> Result<Vec<i64>> {
    db.prepare_cached("SELECT DISTINCT text FROM index_chunks WHERE file = ?1")?
        .query_map([file], |row| row.get(0))?
        .collect()
}

/// Forgets those of `texts` that stand nowhere any more.
fn sweep(db: &Connection, texts: &[i64]) -> Result<Vec<u64>> {
    let mut gone = Vec::new();
    for text in texts {
        let deleted = db
            .prepare_cached(
                "DELETE FROM index_texts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM index_chunks WHERE text = ?1)",
            )?
            .execute([text])?;
        if deleted == 1 {
            db.prepare_cached("DELETE FROM index_words WHERE rowid = ?1")?.execute([text])?;
            gone.push(text.cast_unsigned());
        }
    }
    Ok(gone)
}
