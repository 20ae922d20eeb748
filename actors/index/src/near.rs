//! The vectors of one model: in memory and its segments, and in the state file as they were made.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use roaring::RoaringTreemap;
use store::{Outlasts, Store, StoreError};
use vectors::{Hit, Limits, Originals, Query, Shape};

use crate::db::{self, Model};

/// Vectors that are read from the state file at once.
const PAGE: u32 = 4096;

/// The vectors of one model.
pub(crate) struct Near {
    pub(crate) model: Model,
    index: vectors::Index,
    store: Store,
    texts: Mutex<Texts>,
}

/// The texts that there are. Kept beside the vectors, as to list those costs a look at all of them.
struct Texts {
    /// With a vector.
    have: RoaringTreemap,
    /// Without one yet.
    wanting: RoaringTreemap,
}

/// Reads vectors as they were made.
struct Stored<'a> {
    store: &'a Store,
    model: i64,
}

impl Originals for Stored<'_> {
    type Error = StoreError;

    fn fetch(&self, ids: &[u64], found: &mut dyn FnMut(u64, &[f32])) -> Result<(), StoreError> {
        self.store.read_blocking(|db| {
            for id in ids {
                if let Some(vector) = db::vector(db, self.model, *id)? {
                    found(*id, &vector);
                }
            }
            Ok(())
        })
    }
}

impl Near {
    /// Opens the vectors of `model`, of which `texts` are all there should be. Blocks: seconds for a million.
    pub(crate) fn open(
        store: &Store,
        folder: &Path,
        limits: Limits,
        model: Model,
        texts: &RoaringTreemap,
    ) -> Result<Self, OpenError> {
        let shape = Shape { dimension: model.dimensions as usize, fingerprint: model.fingerprint };
        let opened = vectors::open(&folder.join(folder_of(&model)), shape, limits)?;
        for (file, why) in opened.unusable {
            tracing::warn!(file = %file.display(), %why, "a part of the index is made again from the state file");
        }
        let (index, mut missing, mut after) = (opened.index, RoaringTreemap::new(), 0);
        let there = index.ids();
        index.delete(&(&there - texts));
        loop {
            let page = store.read_blocking(|db| db::vectors(db, model.id, after, PAGE))?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            missing.extend(page.iter().map(|(text, _)| *text));
            let new: Vec<_> = page.into_iter().filter(|(text, _)| !there.contains(*text)).collect();
            index.insert(&new)?;
        }
        // What a segment holds and the state file does not is of a state file that was put back from a copy.
        index.delete(&(&there - &missing));
        let texts = Texts { wanting: texts - &missing, have: missing };
        Ok(Self { model, index, store: store.clone(), texts: Mutex::new(texts) })
    }

    /// So many texts that have no vector yet, newest first.
    pub(crate) fn wanting(&self, most: usize) -> Vec<u64> {
        self.texts().wanting.iter().rev().take(most).collect()
    }

    /// How many texts have no vector yet.
    pub(crate) fn wanted(&self) -> u64 {
        self.texts().wanting.len()
    }

    /// How many texts have one.
    pub(crate) fn len(&self) -> usize {
        self.index.stats().chunks
    }

    /// The memory of all of it, in bytes, and its segments.
    pub(crate) fn stats(&self) -> vectors::Stats {
        self.index.stats()
    }

    /// Texts that came.
    pub(crate) fn want(&self, texts: &[u64]) {
        let mut known = self.texts();
        let Texts { have, wanting } = &mut *known;
        wanting.extend(texts.iter().copied().filter(|text| !have.contains(*text)));
    }

    /// Texts that are gone.
    pub(crate) fn forget(&self, texts: &[u64]) {
        if texts.is_empty() {
            return;
        }
        let gone: RoaringTreemap = texts.iter().copied().collect();
        {
            let mut known = self.texts();
            known.wanting -= &gone;
            known.have -= &gone;
        }
        self.index.delete(&gone);
    }

    /// Keeps vectors that were made: in the state file, then in memory.
    pub(crate) async fn keep(&self, vectors: Vec<(u64, Vec<f32>)>) -> Result<usize, StoreError> {
        let (model, asked) = (self.model.id, vectors.iter().map(|(text, _)| *text).collect::<Vec<_>>());
        let put = move |db: &store::rusqlite::Connection| {
            let kept: HashSet<u64> = db::put_vectors(db, model, &vectors)?.into_iter().collect();
            Ok(vectors.into_iter().filter(|(text, _)| kept.contains(text)).collect::<Vec<_>>())
        };
        let kept = self.store.write_to(Outlasts::Crash, put).await?;
        {
            let mut known = self.texts();
            known.wanting -= &asked.into_iter().collect();
            known.have.extend(kept.iter().map(|(text, _)| *text));
        }
        if let Err(error) = self.index.insert(&kept) {
            tracing::error!(%error, "vectors that are kept cannot be searched");
        }
        Ok(kept.len())
    }

    /// The `k` nearest texts among the allowed ones, about `exact` of them in their exact order. Blocks on the disk.
    pub(crate) fn search(
        &self,
        vector: &[f32],
        k: usize,
        exact: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> Result<Vec<Hit>, vectors::SearchError<StoreError>> {
        let originals = Stored { store: &self.store, model: self.model.id };
        self.index.search_in_part(&Query { vector, k, allowed }, exact, &originals)
    }

    /// The vector of a text, as it was made. Blocks on the disk.
    pub(crate) fn vector(&self, text: u64) -> Result<Option<Vec<f32>>, StoreError> {
        self.store.read_blocking(|db| db::vector(db, self.model.id, text))
    }

    /// Builds what is worth building; whether there was anything. Blocks for as long as it takes.
    pub(crate) fn build(&self, threads: usize, cancel: &AtomicBool) -> Result<bool, vectors::VectorsError> {
        let Some(plan) = self.index.plan() else { return Ok(false) };
        tracing::info!(vectors = plan.chunks(), "building a part of the index");
        let built = plan.build(threads, cancel)?;
        self.index.install(built)?;
        Ok(true)
    }

    /// Whether nothing is left that is worth building.
    pub(crate) fn is_settled(&self) -> bool {
        self.index.plan().is_none()
    }

    fn texts(&self) -> std::sync::MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of a model's segments.
fn folder_of(model: &Model) -> String {
    format!("{:032x}", u128::from_be_bytes(model.fingerprint))
}

/// Takes away the segments of all models but this one. What cannot be taken away is only in the way of nobody.
pub(crate) fn sweep(folder: &Path, model: &Model) {
    let keep = folder_of(model);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_a_models = name.len() == keep.len()
            && name.to_str().is_some_and(|name| name.chars().all(|c| c.is_ascii_hexdigit()));
        if is_a_models && name.to_str() != Some(&keep) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Why vectors cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vectors(#[from] vectors::VectorsError),
}

/// Shared, and replaced whole when the model changes.
pub(crate) type SharedNear = arc_swap::ArcSwapOption<Near>;

/// The vectors, if there are any yet.
pub(crate) fn of(shared: &SharedNear) -> Option<Arc<Near>> {
    shared.load_full()
}
