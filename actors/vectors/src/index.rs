//! The index: what callers hold, share between threads, change and ask.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use roaring::RoaringTreemap;

use crate::error::{SearchError, VectorsError};
use crate::quantise::{Probe, dot_exact};
use crate::view::View;

/// The longest vectors: far above any model's, and sums of products stay within 32 bits.
const DIMENSION_MAX: usize = 65_536;

/// A question has at least this many candidates scored again, and this many for each result.
const CANDIDATES_MIN: usize = 80;
const CANDIDATES_PER_RESULT: usize = 4;

/// And no more than so many besides: an original is a look into a file, and what is far down is nearly in order.
const CANDIDATES_MORE_MAX: usize = 60;

/// What the vectors of an index have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Components of a vector.
    pub dimension: usize,
    /// The model that makes them, in the caller's words: segment files of another one are not used.
    pub fingerprint: [u8; 16],
}

/// When segments are made. The defaults are for 384 dimensions; tests take small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Chunks that are searched one by one as long as there is no segment: that takes a millisecond, and no build.
    pub exact_max: usize,
    /// Chunks of the smallest segment, and about the most that stay outside of segments once there are some.
    pub seal: usize,
    /// Chunks of the largest segment. A build of 128 k takes about a minute and cannot be resumed; recall falls above.
    pub segment_max: usize,
    /// A segment with this share of dead chunks, in percent, is built again without them.
    pub dead_percent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { exact_max: 50_000, seal: 16_384, segment_max: 131_072, dead_percent: 20 }
    }
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// A unit vector.
    pub vector: &'a [f32],
    /// How many chunks to find.
    pub k: usize,
    /// Only these, if set. Ids that are not in the index do no harm.
    pub allowed: Option<&'a RoaringTreemap>,
}

/// A chunk that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The chunk.
    pub id: u64,
    /// The dot product with the question, of originals: the cosine, as both are unit vectors.
    pub score: f32,
}

/// Where the vectors are kept as they were given. Memory holds them quantised only.
pub trait Originals {
    /// Why reading failed.
    type Error;

    /// Calls `found` with those of `ids` that are there, in any order. What is not there, or of another dimension, is
    /// not found by the search either.
    fn fetch(&self, ids: &[u64], found: &mut dyn FnMut(u64, &[f32])) -> Result<(), Self::Error>;
}

/// How large the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Chunks that can be found.
    pub chunks: usize,
    /// Those of them that are in no segment.
    pub tail: usize,
    /// Segments in use.
    pub segments: usize,
    /// Deleted chunks that segments still hold.
    pub dead: usize,
    /// Memory of all of it, in bytes.
    pub bytes: usize,
}

/// Vectors by chunk id. Share it as it is: every method takes `&self`, and a search waits for nobody.
///
/// An id means one vector for ever, also over restarts: give changed text a new id.
pub struct Index {
    pub(crate) home: Home,
    pub(crate) limits: Limits,
    view: ArcSwap<View>,
    writer: Mutex<Clock>,
}

/// Where segments are kept, and of what kind.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) shape: Shape,
    /// `None` in memory alone.
    pub(crate) folder: Option<Arc<PathBuf>>,
}

/// What only a writer counts.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Of the next insertion.
    stamp: u64,
    /// Of the next segment.
    serial: u64,
}

impl Clock {
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial - 1
    }
}

impl Index {
    /// An index that writes no files. [`crate::open`] makes one that does.
    ///
    /// # Errors
    /// When the dimension is 0 or above 65 536.
    pub fn in_memory(shape: Shape, limits: Limits) -> Result<Self, VectorsError> {
        Self::of(Home { shape, folder: None }, limits, View::new(shape.dimension), 0)
    }

    pub(crate) fn of(home: Home, limits: Limits, view: View, serial: u64) -> Result<Self, VectorsError> {
        let dimension = home.shape.dimension;
        if !(1..=DIMENSION_MAX).contains(&dimension) {
            return Err(VectorsError::Shape { dimension, max: DIMENSION_MAX });
        }
        let writer = Mutex::new(Clock { stamp: 1, serial });
        Ok(Self { home, limits, view: ArcSwap::from_pointee(view), writer })
    }

    /// Adds chunks; one whose id is there already is replaced, and of two with one id the later stands. All or none.
    /// Costs microseconds a chunk and a copy of 100 kB a call, so give many at once.
    ///
    /// # Errors
    /// When a vector is of another dimension or not finite.
    pub fn insert<V: AsRef<[f32]>>(&self, chunks: &[(u64, V)]) -> Result<(), VectorsError> {
        chunks.iter().try_for_each(|(_, vector)| self.check(vector.as_ref()))?;
        let mut seen = HashSet::with_capacity(chunks.len());
        let mut new: Vec<_> = chunks.iter().rev().filter(|(id, _)| seen.insert(*id)).collect();
        new.reverse();
        let ids: RoaringTreemap = seen.into_iter().collect();
        self.change(|view, clock| {
            view.remove(&ids);
            view.tail.append(new.iter().map(|(id, vector)| (*id, vector.as_ref())), clock.stamp);
            clock.stamp += new.len() as u64;
        });
        Ok(())
    }

    /// Removes chunks; how many of them were there. Each call looks at every id of the tail, so give many at once.
    pub fn delete(&self, ids: &RoaringTreemap) -> usize {
        self.change(|view, _| view.remove(ids))
    }

    /// Which chunks can be found.
    pub fn ids(&self) -> RoaringTreemap {
        self.view.load().ids()
    }

    /// The `k` chunks most similar to the question, best first: fewer only when fewer match and have an original. Chunks
    /// in segments are found with a recall of about 0.99, all others, and all when few are allowed, exactly (as far as
    /// the best 4 k, or k + 60, by quantised vectors hold the best k by originals).
    ///
    /// # Errors
    /// When the vector is of another dimension or not finite, or the originals cannot be read.
    pub fn search<O: Originals>(
        &self,
        query: &Query<'_>,
        originals: &O,
    ) -> Result<Vec<Hit>, SearchError<O::Error>> {
        self.search_in_part(query, usize::MAX, originals)
    }

    /// As [`Index::search`], but only about `exact` of the best are compared by their originals. Those behind them are in
    /// the order of their quantised vectors, with scores that are right to a hundredth: enough where the many are only
    /// there to be joined with another ranking, and each original is a look into a file.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search_in_part<O: Originals>(
        &self,
        query: &Query<'_>,
        exact_of: usize,
        originals: &O,
    ) -> Result<Vec<Hit>, SearchError<O::Error>> {
        self.check(query.vector)?;
        let view = self.view.load_full();
        let probe = Probe::new(query.vector);
        let all = view.len();
        let k = query.k.min(all);
        let more = k.saturating_mul(CANDIDATES_PER_RESULT).min(k + CANDIDATES_MORE_MAX);
        let mut want = CANDIDATES_MIN.max(more).min(all);
        loop {
            let candidates = view.nearest(&probe, want, query.allowed);
            let ids: Vec<_> = candidates.iter().map(|near| near.what).collect();
            let (first, rest) = candidates.split_at(exact_of.min(candidates.len()));
            let mut hits =
                exact(query.vector, &ids[..first.len()], originals).map_err(SearchError::Originals)?;
            let last = hits.last().map_or(1.0, |hit| hit.score);
            hits.extend(rest.iter().map(|near| Hit { id: near.what, score: near.similarity.min(last) }));
            // Missing originals are rare: chunks that were deleted there and not yet here.
            if hits.len() >= k || ids.len() < want || want == all {
                hits.truncate(k);
                return Ok(hits);
            }
            want = want.saturating_mul(CANDIDATES_PER_RESULT).min(all);
        }
    }

    /// How large it is.
    pub fn stats(&self) -> Stats {
        let view = self.view.load();
        let placed = || view.segments.iter();
        Stats {
            chunks: view.len(),
            tail: view.tail.len(),
            segments: view.segments.len(),
            dead: placed().map(crate::view::Placed::dead_count).sum(),
            bytes: view.tail.bytes() + placed().map(|placed| placed.segment.bytes()).sum::<usize>(),
        }
    }

    /// What a search would see now.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Makes the next view out of this one. Writers wait for one another, for as long as `change` takes.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut View, &mut Clock) -> T) -> T {
        let mut clock = self.clock();
        let mut view = View::clone(&self.view.load());
        let outcome = change(&mut view, &mut clock);
        self.view.store(Arc::new(view));
        outcome
    }

    /// Poison does no harm: the view is swapped as a whole or not at all, and a number that is left out is not missed.
    pub(crate) fn clock(&self) -> MutexGuard<'_, Clock> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, vector: &[f32]) -> Result<(), VectorsError> {
        let (wanted, found) = (self.home.shape.dimension, vector.len());
        if wanted != found {
            return Err(VectorsError::Dimension { wanted, found });
        }
        if vector.iter().any(|value| !value.is_finite()) {
            return Err(VectorsError::NotFinite);
        }
        Ok(())
    }
}

/// Scores by originals, best first, equal ones by id.
fn exact<O: Originals>(vector: &[f32], ids: &[u64], originals: &O) -> Result<Vec<Hit>, O::Error> {
    let mut scores: HashMap<u64, Option<f32>> = ids.iter().map(|id| (*id, None)).collect();
    originals.fetch(ids, &mut |id, original| {
        if let Some(score) = scores.get_mut(&id)
            && original.len() == vector.len()
        {
            *score = Some(dot_exact(vector, original));
        }
    })?;
    let hits = scores.into_iter().filter_map(|(id, score)| Some(Hit { id, score: score? }));
    let hits = hits.filter(|hit| hit.score.is_finite());
    let mut hits: Vec<_> = hits.collect();
    hits.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    Ok(hits)
}
