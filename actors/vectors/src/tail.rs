//! What is in no segment yet: vectors in blocks, searched one by one.
//!
//! A block never changes. A change makes a new one of it, which copies 100 kB at most, so that whoever is searching keeps
//! the blocks that it began with and nobody waits for anybody.

use std::sync::Arc;

use roaring::RoaringTreemap;

use crate::near::Nearest;
use crate::quantise::{Codes, Probe, Row};

/// Rows of a block: what an insertion may have to copy (100 kB with 384 dimensions), and still long enough to be read
/// in one go.
const BLOCK: usize = 256;

#[derive(Debug, Clone)]
struct Block {
    ids: Vec<u64>,
    /// When each row was inserted, in insertions. Ascending within and across blocks.
    stamps: Vec<u64>,
    codes: Codes,
}

/// Chunks in the order of their insertion. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    dimension: usize,
    blocks: Vec<Arc<Block>>,
}

impl Tail {
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension, blocks: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.ids.len()).sum()
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let words = |block: &Block| (block.ids.capacity() + block.stamps.capacity()) * size_of::<u64>();
        self.blocks.iter().map(|block| words(block) + block.codes.bytes()).sum()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.blocks.iter().flat_map(|block| &block.ids).copied()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, Row<'_>)> + '_ {
        self.blocks.iter().flat_map(|block| block.ids.iter().copied().zip(block.codes.rows()))
    }

    /// Adds chunks, whose ids are not here, stamped from `stamp` on.
    pub(crate) fn append<'a>(&mut self, chunks: impl Iterator<Item = (u64, &'a [f32])>, stamp: u64) {
        let mut block = match self.blocks.last() {
            Some(last) if last.ids.len() < BLOCK => {
                let last = Block::clone(last);
                self.blocks.pop();
                last
            }
            _ => self.block(),
        };
        for ((id, vector), stamp) in chunks.zip(stamp..) {
            if block.ids.len() == BLOCK {
                let full = std::mem::replace(&mut block, self.block());
                self.blocks.push(Arc::new(full));
            }
            block.ids.push(id);
            block.stamps.push(stamp);
            block.codes.push(vector);
        }
        if !block.ids.is_empty() {
            self.blocks.push(Arc::new(block));
        }
    }

    /// Removes those of `ids` that are here; how many they were.
    pub(crate) fn remove(&mut self, ids: &RoaringTreemap) -> usize {
        let (Some(lowest), Some(highest)) = (ids.min(), ids.max()) else { return 0 };
        let span = lowest..=highest;
        let among = |id: u64| span.contains(&id) && ids.contains(id);
        // Nearly always none: every insertion asks whether it replaces something.
        if self.ids().any(among) { self.retain(|id, _| !among(id)) } else { 0 }
    }

    /// The oldest `rows` rows as they are now, and the stamp of the last of them.
    pub(crate) fn oldest(&self, rows: usize) -> (Self, u64) {
        let until = self.blocks.iter().flat_map(|block| &block.stamps).take(rows).last().copied();
        let until = until.unwrap_or(0);
        let mut oldest = self.clone();
        oldest.retain(|_, stamp| rows > 0 && stamp <= until);
        (oldest, until)
    }

    /// Removes what was inserted up to `stamp`; which chunks those were.
    pub(crate) fn take_until(&mut self, stamp: u64) -> RoaringTreemap {
        let mut taken = RoaringTreemap::new();
        self.retain(|id, inserted| {
            let stays = inserted > stamp;
            if !stays {
                taken.insert(id);
            }
            stays
        });
        taken
    }

    /// Offers every chunk that is allowed. `rare`: few are, so that it pays to ask that first.
    pub(crate) fn search(
        &self,
        probe: &Probe,
        allowed: Option<&RoaringTreemap>,
        rare: bool,
        nearest: &mut Nearest<u64>,
    ) {
        let admits = |id: u64| allowed.is_none_or(|allowed| allowed.contains(id));
        for (id, row) in self.rows() {
            if rare && !admits(id) {
                continue;
            }
            let similarity = probe.similarity(&row);
            if nearest.wants(similarity) && (rare || admits(id)) {
                nearest.offer(similarity, id);
            }
        }
    }

    fn block(&self) -> Block {
        Block { ids: Vec::new(), stamps: Vec::new(), codes: Codes::new(self.dimension) }
    }

    /// Keeps what `stays`, copying only blocks that lose something; how many rows went.
    fn retain(&mut self, mut stays: impl FnMut(u64, u64) -> bool) -> usize {
        let before = self.len();
        let mut kept = Vec::with_capacity(self.blocks.len());
        for block in self.blocks.drain(..) {
            let rows: Vec<_> =
                block.ids.iter().zip(&block.stamps).map(|(id, stamp)| stays(*id, *stamp)).collect();
            let staying = rows.iter().filter(|stays| **stays).count();
            if staying == rows.len() {
                kept.push(block);
            } else if staying > 0 {
                kept.push(Arc::new(block.only(&rows)));
            }
        }
        self.blocks = kept;
        before - self.len()
    }
}

impl Block {
    fn only(&self, staying: &[bool]) -> Self {
        let mut only =
            Self { ids: Vec::new(), stamps: Vec::new(), codes: Codes::new(self.codes.dimension()) };
        for at in (0..staying.len()).filter(|at| staying[*at]) {
            only.ids.push(self.ids[at]);
            only.stamps.push(self.stamps[at]);
            only.codes.push_row(self.codes.row(at));
        }
        only
    }
}
