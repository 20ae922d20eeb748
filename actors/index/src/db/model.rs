//! Models, and the vectors that they made.

use store::rusqlite::{Connection, OptionalExtension as _, Result, params};

/// A model that vectors were made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) dimensions: u32,
}

/// The row of a model, made if there is none. A new one is not answered from before [`use_model`].
pub(crate) fn model(db: &Connection, name: &str, fingerprint: [u8; 16], dimensions: u32) -> Result<Model> {
    let id = db
        .prepare_cached(
            "INSERT INTO index_models (name, fingerprint, dimensions, used_ms) VALUES (?1, ?2, ?3, 0) \
             ON CONFLICT (fingerprint) DO UPDATE SET name = ?1 RETURNING id",
        )?
        .query_row(params![name, fingerprint, dimensions], |row| row.get(0))?;
    Ok(Model { id, name: name.to_owned(), fingerprint, dimensions })
}

/// Has a model be the one that is answered from.
pub(crate) fn use_model(db: &Connection, model: i64, now_ms: i64) -> Result<()> {
    db.execute("UPDATE index_models SET used_ms = ?2 WHERE id = ?1", params![model, now_ms]).map(drop)
}

/// The model that is answered from.
pub(crate) fn model_of(db: &Connection) -> Result<Option<Model>> {
    db.prepare_cached(
        "SELECT id, name, fingerprint, dimensions FROM index_models ORDER BY used_ms DESC, id DESC LIMIT 1",
    )?
    .query_row([], |row| {
        Ok(Model { id: row.get(0)?, name: row.get(1)?, fingerprint: row.get(2)?, dimensions: row.get(3)? })
    })
    .optional()
}

/// Forgets at most `most` vectors of models other than this one, and those models that have none left; how many vectors.
pub(crate) fn forget_others(db: &Connection, model: i64, most: u32) -> Result<usize> {
    let gone = db.execute(
        "DELETE FROM index_vectors WHERE (model, text) IN \
         (SELECT model, text FROM index_vectors WHERE model <> ?1 LIMIT ?2)",
        params![model, most],
    )?;
    if gone == 0 {
        db.execute("DELETE FROM index_models WHERE id <> ?1", [model])?;
    }
    Ok(gone)
}

/// What is embedded of these texts; of one that was forgotten meanwhile, nothing.
pub(crate) fn texts(db: &Connection, ids: &[u64]) -> Result<Vec<(u64, String)>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let row = db
            .prepare_cached("SELECT trail, text FROM index_texts WHERE id = ?1")?
            .query_row([id.cast_signed()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        found.extend(row.map(|(trail, text)| (*id, whole(&trail, &text))));
    }
    Ok(found)
}

/// Every text, by its id.
pub(crate) fn all_texts(db: &Connection, mut each: impl FnMut(u64)) -> Result<()> {
    let mut rows = db.prepare_cached("SELECT id FROM index_texts ORDER BY id")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get::<_, i64>(0)?.cast_unsigned());
    }
    Ok(())
}

/// What is embedded of a text: the headings above it say what it is about.
pub(crate) fn whole(trail: &str, text: &str) -> String {
    if trail.is_empty() { text.to_owned() } else { format!("{trail}\n{text}") }
}

/// Keeps vectors. A text that was forgotten meanwhile is left out; the others are returned.
pub(crate) fn put_vectors(db: &Connection, model: i64, vectors: &[(u64, Vec<f32>)]) -> Result<Vec<u64>> {
    let mut kept = Vec::with_capacity(vectors.len());
    for (text, vector) in vectors {
        let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
        let put = db
            .prepare_cached(
                "INSERT OR REPLACE INTO index_vectors (model, text, vector) \
                 SELECT ?1, id, ?3 FROM index_texts WHERE id = ?2",
            )?
            .execute(params![model, text.cast_signed(), bytes])?;
        if put == 1 {
            kept.push(*text);
        }
    }
    Ok(kept)
}

/// Every vector of this model after `after` in the order of texts, at most `most`.
pub(crate) fn vectors(db: &Connection, model: i64, after: u64, most: u32) -> Result<Vec<(u64, Vec<f32>)>> {
    db.prepare_cached(
        "SELECT text, vector FROM index_vectors WHERE model = ?1 AND text > ?2 ORDER BY text LIMIT ?3",
    )?
    .query_map(params![model, after.cast_signed(), most], |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), floats(row.get_ref(1)?.as_blob()?)))
    })?
    .collect()
}

/// The vector of one text.
pub(crate) fn vector(db: &Connection, model: i64, text: u64) -> Result<Option<Vec<f32>>> {
    db.prepare_cached("SELECT vector FROM index_vectors WHERE model = ?1 AND text = ?2")?
        .query_row(params![model, text.cast_signed()], |row| Ok(floats(row.get_ref(0)?.as_blob()?)))
        .optional()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}
