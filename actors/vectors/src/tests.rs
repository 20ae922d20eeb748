//! The index as callers see it.

mod changes;
mod filters;
mod segments;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::AtomicBool;

use roaring::RoaringTreemap;

use crate::{Hit, Index, Limits, Originals, Query, Shape, VectorsError};

pub(crate) const SHAPE: Shape = Shape { dimension: 24, fingerprint: *b"a model's digest" };

/// Small enough that a few dozen chunks pass through everything.
pub(crate) const SMALL: Limits = Limits { exact_max: 20, seal: 8, segment_max: 32, dead_percent: 20 };

/// What SQLite is to the daemon.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth(pub(crate) BTreeMap<u64, Vec<f32>>);

impl Originals for Truth {
    type Error = Infallible;

    fn fetch(&self, ids: &[u64], found: &mut dyn FnMut(u64, &[f32])) -> Result<(), Infallible> {
        for id in ids {
            if let Some(vector) = self.0.get(id) {
                found(*id, vector);
            }
        }
        Ok(())
    }
}

impl Truth {
    /// So many chunks in clusters of about ten, from a seed.
    pub(crate) fn clustered(seed: u64, chunks: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let centres: Vec<_> = (0..chunks.div_ceil(10)).map(|_| vector(random.u64(..))).collect();
        let near = |id: u64| {
            let centre = &centres[random.usize(..centres.len())];
            let noise = vector(random.u64(..));
            (id, unit(centre.iter().zip(noise).map(|(centre, noise)| centre + 0.5 * noise).collect()))
        };
        Self((0..chunks as u64).map(near).collect())
    }

    pub(crate) fn chunks(&self) -> Vec<(u64, Vec<f32>)> {
        self.0.iter().map(|(id, vector)| (*id, vector.clone())).collect()
    }

    /// The best by comparing all.
    fn best(&self, query: &Query<'_>) -> Vec<Hit> {
        let allowed =
            self.0.iter().filter(|(id, _)| query.allowed.is_none_or(|allowed| allowed.contains(**id)));
        let score = |vector: &Vec<f32>| crate::quantise::dot_exact(query.vector, vector);
        let mut all: Vec<_> = allowed.map(|(id, vector)| Hit { id: *id, score: score(vector) }).collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        all.truncate(query.k);
        all
    }

    /// How many of those that `index` finds are among the best, of how many.
    fn recall(
        &self,
        index: &Index,
        queries: usize,
        k: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> (usize, usize) {
        let (mut found, mut wanted) = (0, 0);
        for vector in self.0.values().step_by(self.0.len() / queries) {
            let query = Query { vector, k, allowed };
            let (hits, best) = (index.search(&query, self).expect("it is there"), self.best(&query));
            assert_eq!(hits.len(), best.len());
            found += best.iter().filter(|best| hits.contains(best)).count();
            wanted += best.len();
        }
        (found, wanted)
    }
}

/// A unit vector that belongs to a number.
pub(crate) fn vector(seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    unit((0..SHAPE.dimension).map(|_| random.f32() - 0.5).collect())
}

pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = crate::quantise::dot_exact(&vector, &vector).sqrt();
    for value in &mut vector {
        *value /= length;
    }
    vector
}

pub(crate) fn index(truth: &Truth, limits: Limits) -> Index {
    let index = Index::in_memory(SHAPE, limits).expect("a good shape");
    index.insert(&truth.chunks()).expect("good vectors");
    settle(&index);
    index
}

/// Builds until there is nothing to build.
pub(crate) fn settle(index: &Index) {
    while let Some(plan) = index.plan() {
        let built = plan.build(1, &AtomicBool::new(false)).expect("it builds");
        index.install(built).expect("nobody else builds");
    }
}

#[test]
fn nothing_is_found_in_nothing() {
    let index = index(&Truth::default(), SMALL);
    let query = Query { vector: &vector(1), k: 5, allowed: None };
    assert_eq!(index.search(&query, &Truth::default()).expect("a good question"), []);
}

#[test]
fn the_tail_is_exact() {
    let truth = Truth::clustered(3, 400);
    let index = index(&truth, Limits::default());
    assert_eq!(index.stats().segments, 0);
    let (found, wanted) = truth.recall(&index, 50, 10, None);
    assert_eq!(found, wanted);
}

#[test]
fn vectors_that_cannot_be_are_refused_and_change_nothing() {
    let index = Index::in_memory(SHAPE, SMALL).expect("a good shape");
    let short = index.insert(&[(1, vector(1)), (2, vec![1.0])]);
    assert!(matches!(short, Err(VectorsError::Dimension { wanted: 24, found: 1 })));
    let mut not_finite = vector(1);
    not_finite[3] = f32::NAN;
    assert!(matches!(index.insert(&[(1, not_finite)]), Err(VectorsError::NotFinite)));
    assert_eq!(index.stats().chunks, 0);
    for dimension in [0, 1 << 20] {
        let refused = Index::in_memory(Shape { dimension, ..SHAPE }, SMALL);
        assert!(matches!(refused, Err(VectorsError::Shape { .. })));
    }
}

#[test]
fn a_chunk_without_an_original_is_not_found_and_leaves_no_gap() {
    let mut truth = Truth::clustered(4, 300);
    let index = index(&truth, SMALL);
    // All but 20, so that the first candidates have next to nobody.
    truth.0.retain(|id, _| id % 15 == 0);
    let query = Query { vector: &vector(9), k: 12, allowed: None };
    assert_eq!(index.search(&query, &truth).expect("it is there"), truth.best(&query));
}

#[test]
fn an_index_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Index>();
    shared::<crate::Plan>();
    shared::<crate::Built>();
}
