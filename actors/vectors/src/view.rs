//! All that a search sees: segments with their dead, and the tail, as they are at one moment.
//!
//! A view never changes. Writers make the next one and swap it in, so a search is of one moment and never waits.

use std::sync::Arc;

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::near::{Near, Nearest};
use crate::quantise::Probe;
use crate::segment::{Segment, Sought};
use crate::tail::Tail;

/// One of so many allowed makes them rare: below that, looking each of them up is faster than passing over the others.
const RARE: u64 = 5;

/// How many nodes a walk keeps at least.
const WIDTH_MIN: usize = 64;

/// How many it looks for in each segment whatever others have: with 8 segments of 128 k, recall@10 is above 0.98. A search
/// for more finds them where they are: what one segment has sets the floor for the next.
const BEAM: usize = 80;

/// A segment in use.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) segment: Arc<Segment>,
    /// Its rows that have been deleted or replaced.
    pub(crate) dead: Arc<RoaringBitmap>,
}

/// Cheap to clone. A chunk is alive in one place at most.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) segments: Vec<Placed>,
    pub(crate) tail: Tail,
}

impl Placed {
    pub(crate) fn alive_count(&self) -> usize {
        self.segment.len() - self.dead_count()
    }

    pub(crate) fn dead_count(&self) -> usize {
        usize::try_from(self.dead.len()).unwrap_or(usize::MAX)
    }
}

impl View {
    pub(crate) fn new(dimension: usize) -> Self {
        Self { segments: Vec::new(), tail: Tail::new(dimension) }
    }

    /// How many chunks are alive.
    pub(crate) fn len(&self) -> usize {
        self.segments.iter().map(Placed::alive_count).sum::<usize>() + self.tail.len()
    }

    /// Which chunks are alive.
    pub(crate) fn ids(&self) -> RoaringTreemap {
        let sealed = self.segments.iter().flat_map(|placed| placed.segment.alive(&placed.dead));
        sealed.map(|(id, _)| id).chain(self.tail.ids()).collect()
    }

    /// Removes those of `ids` that are here; how many they were.
    pub(crate) fn remove(&mut self, ids: &RoaringTreemap) -> usize {
        let mut removed = self.tail.remove(ids);
        for placed in &mut self.segments {
            let rows = placed.segment.rows_of(ids).filter(|row| !placed.dead.contains(*row));
            let rows: RoaringBitmap = rows.collect();
            if !rows.is_empty() {
                removed += usize::try_from(rows.len()).unwrap_or(usize::MAX);
                placed.dead = Arc::new(&*placed.dead | &rows);
            }
        }
        removed
    }

    /// The `want` nearest chunks as far as their codes tell, nearest first: fewer only when fewer are alive and allowed.
    pub(crate) fn nearest(
        &self,
        probe: &Probe,
        want: usize,
        allowed: Option<&RoaringTreemap>,
    ) -> Vec<Near<u64>> {
        let mut nearest = Nearest::new(want);
        let all = self.len() as u64;
        let rare = allowed.filter(|allowed| allowed.len().saturating_mul(RARE) <= all);
        self.tail.search(probe, allowed, rare.is_some(), &mut nearest);
        let share = allowed.map_or(1.0, |allowed| (allowed.len() as f64 / all as f64).min(1.0));
        let sought = Sought { probe, width: want.max(WIDTH_MIN), beam: BEAM, allowed, share };
        for Placed { segment, dead } in &self.segments {
            match rare {
                Some(allowed) => segment.search_among(probe, allowed, dead, &mut nearest),
                None => segment.search(&sought, dead, &mut nearest),
            }
        }
        nearest.into_sorted()
    }
}
