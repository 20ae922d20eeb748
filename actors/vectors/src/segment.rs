//! A sealed segment: vectors that never change, the graph over them, and which chunk each belongs to.
//!
//! A *row* is a chunk. Chunks with equal vectors share one *node*, because in a graph of duplicates they hide one
//! another; the first row of each node has the node's number and the others come after all nodes. What has been deleted
//! is not known here: it comes with every search, so that a segment is shared by readers and builds without a lock.

use std::collections::HashMap;
use std::iter::once;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::error::VectorsError;
use crate::graph::{self, Graph, Width};
use crate::near::Nearest;
use crate::quantise::{Codes, Probe, Row};

/// A scan reads memory in order, which is so many times as fast a vector as a walk, and exact: a walk that would compare
/// more than this part of the segment is not begun, or given up.
const SCAN_SPEED: usize = 6;

/// About how many nodes a walk compares for each that it keeps, when everything is admitted.
const VISITS_PER_KEPT: f64 = 32.0;

/// Never changes. See the file's own description for rows and nodes.
#[derive(Debug, PartialEq)]
pub(crate) struct Segment {
    /// Higher is newer; never used twice in a folder.
    pub(crate) serial: u64,
    /// Where it is kept. `None` in memory alone.
    pub(crate) file: Option<PathBuf>,
    /// Vectors by node.
    pub(crate) codes: Codes,
    pub(crate) graph: Graph,
    chunks: Chunks,
}

/// Which chunk is in which row, both ways.
#[derive(Debug, PartialEq)]
pub(crate) struct Chunks {
    /// All ids, ascending: an id's place is its rank.
    pub(crate) ids: Vec<u64>,
    /// By rank: the row.
    pub(crate) rows: Vec<u32>,
    /// By row: the rank.
    ranks: Vec<u32>,
    /// The node of each row that comes after the nodes, ascending.
    pub(crate) twins: Vec<u32>,
}

impl Chunks {
    /// Takes what was read from a file. `None` unless ids ascend, every row has one, and twins belong to a node.
    pub(crate) fn from_parts(ids: Vec<u64>, rows: Vec<u32>, twins: Vec<u32>) -> Option<Self> {
        let nodes = ids.len().checked_sub(twins.len())?;
        let mut ranks = vec![u32::MAX; ids.len()];
        for (rank, row) in (0_u32..).zip(&rows) {
            let free = ranks.get_mut(*row as usize).filter(|rank| **rank == u32::MAX)?;
            *free = rank;
        }
        let sound = rows.len() == ids.len()
            && ids.is_sorted_by(|a, b| a < b)
            && twins.is_sorted()
            && twins.last().is_none_or(|node| (*node as usize) < nodes);
        sound.then_some(Self { ids, rows, ranks, twins })
    }
}

/// What a search wants of a segment.
pub(crate) struct Sought<'a> {
    pub(crate) probe: &'a Probe,
    /// How many nodes a walk keeps.
    pub(crate) width: usize,
    /// How many of them it looks for even where others have nearer ones.
    pub(crate) beam: usize,
    /// Only these chunks, if set.
    pub(crate) allowed: Option<&'a RoaringTreemap>,
    /// The part of all chunks that they are, at most 1.
    pub(crate) share: f64,
}

impl Segment {
    /// Builds a segment of `chunks`, whose ids are distinct, with `threads` threads, until `cancel` is set.
    pub(crate) fn build(
        serial: u64,
        dimension: usize,
        chunks: &[(u64, Row<'_>)],
        threads: usize,
        cancel: &AtomicBool,
    ) -> Result<Self, VectorsError> {
        let (firsts, group_of) = group(chunks);
        if cancel.load(Ordering::Relaxed) {
            return Err(VectorsError::Cancelled);
        }
        let rows: Vec<_> = firsts.iter().map(|first| chunks[*first].1).collect();
        let built = graph::build(&rows, threads, cancel)?;
        let mut order = vec![0; rows.len()];
        for (group, node) in built.nodes.iter().enumerate() {
            order[*node as usize] = group;
        }
        let mut codes = Codes::with_capacity(dimension, rows.len());
        for group in order {
            codes.push_row(rows[group]);
        }

        let mut firsts_left = firsts.iter().peekable();
        let (mut twins, mut by_id) = (Vec::new(), Vec::with_capacity(chunks.len()));
        for (at, (id, _)) in chunks.iter().enumerate() {
            let node = built.nodes[group_of[at] as usize];
            match firsts_left.next_if(|first| **first == at) {
                Some(_) => by_id.push((*id, node)),
                None => twins.push((node, *id)),
            }
        }
        twins.sort_unstable();
        by_id.extend((count(rows.len())..).zip(&twins).map(|(row, (_, id))| (*id, row)));
        by_id.sort_unstable();
        let (ids, rows) = by_id.into_iter().unzip();
        let chunks = Chunks::from_parts(ids, rows, twins.into_iter().map(|(node, _)| node).collect())
            .expect("ids are distinct, and each has a row of its own");
        Ok(Self { serial, file: None, codes, graph: built.graph, chunks })
    }

    /// Takes what was read from a file. `None` when it does not fit together.
    pub(crate) fn from_parts(serial: u64, codes: Codes, graph: Graph, chunks: Chunks) -> Option<Self> {
        let nodes = chunks.ids.len() - chunks.twins.len();
        let sound = codes.len() == nodes && graph.len() == nodes && graph.is_sound();
        sound.then_some(Self { serial, file: None, codes, graph, chunks })
    }

    /// How many chunks, the dead included.
    pub(crate) fn len(&self) -> usize {
        self.chunks.ids.len()
    }

    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let Chunks { ids, rows, ranks, twins } = &self.chunks;
        let words = rows.capacity() + ranks.capacity() + twins.capacity();
        self.codes.bytes() + self.graph.bytes() + ids.capacity() * size_of::<u64>() + words * size_of::<u32>()
    }

    pub(crate) fn id(&self, row: u32) -> u64 {
        self.chunks.ids[self.chunks.ranks[row as usize] as usize]
    }

    /// Chunks that are not dead, with their vectors, by ascending id.
    pub(crate) fn alive<'a>(&'a self, dead: &'a RoaringBitmap) -> impl Iterator<Item = (u64, Row<'a>)> + 'a {
        let chunks = self.chunks.ids.iter().zip(&self.chunks.rows);
        chunks.filter(|(_, row)| !dead.contains(**row)).map(|(id, row)| (*id, self.vector(*row)))
    }

    /// Rows of those of `wanted` that are here, by ascending id. Takes the steps of the smaller of the two sets, about.
    pub(crate) fn rows_of<'a>(&'a self, wanted: &'a RoaringTreemap) -> impl Iterator<Item = u32> + 'a {
        let ids = &self.chunks.ids;
        let mut wanted = wanted.iter();
        if let Some(first) = ids.first() {
            wanted.advance_to(*first);
        }
        let mut from = 0;
        wanted
            .map_while(move |id| {
                from = gallop(ids, from, id);
                (from < ids.len()).then(|| (ids[from] == id).then(|| self.chunks.rows[from]))
            })
            .flatten()
    }

    /// Offers what is nearest among the chunks that are allowed and not dead: `sought.width` of them, or all there are.
    pub(crate) fn search(&self, sought: &Sought<'_>, dead: &RoaringBitmap, nearest: &mut Nearest<u64>) {
        let admits_row = |row: u32| {
            !dead.contains(row) && sought.allowed.is_none_or(|allowed| allowed.contains(self.id(row)))
        };
        let everything = dead.is_empty() && sought.allowed.is_none();
        let offer = |node: u32, similarity: f32, nearest: &mut Nearest<u64>| {
            for row in self.rows_at(node).filter(|row| everything || admits_row(*row)) {
                nearest.offer(similarity, self.id(row));
            }
        };
        match self.walk(sought, nearest.floor(), |node| everything || self.rows_at(node).any(admits_row)) {
            Some(found) => {
                for near in found.into_sorted() {
                    offer(near.what, near.similarity, nearest);
                }
            }
            None => {
                for (node, row) in (0_u32..).zip(self.codes.rows()) {
                    let similarity = sought.probe.similarity(&row);
                    if nearest.wants(similarity) {
                        offer(node, similarity, nearest);
                    }
                }
            }
        }
    }

    /// As many nodes as were sought, or as many as may be of use where less similar ones than `floor` are of none. `None`
    /// when a scan is faster, or there are fewer, or they cannot be reached.
    fn walk(&self, sought: &Sought<'_>, floor: f32, admits: impl Fn(u32) -> bool) -> Option<Nearest<u32>> {
        let nodes = self.codes.len();
        let visits = sought.width as f64 * VISITS_PER_KEPT / sought.share;
        if sought.allowed.is_some() && visits * SCAN_SPEED as f64 > nodes as f64 {
            return None;
        }
        // A small segment is walked whole rather than given up: without a filter, that is as fast as a scan.
        let visits_max = if sought.allowed.is_some() { nodes / SCAN_SPEED } else { nodes };
        let beam = sought.beam.min(sought.width);
        let width = Width { kept: sought.width, beam, floor, visits_max };
        let similarity = |node: u32| sought.probe.similarity(&self.codes.row(node as usize));
        self.graph.walk(width, similarity, admits).filter(|found| found.len() >= beam)
    }

    /// Offers those of `allowed` that are here and not dead.
    pub(crate) fn search_among(
        &self,
        probe: &Probe,
        allowed: &RoaringTreemap,
        dead: &RoaringBitmap,
        nearest: &mut Nearest<u64>,
    ) {
        // They come by id and are compared by row: memory is read forwards.
        let mut marked = vec![0_u64; self.len().div_ceil(64)];
        for row in self.rows_of(allowed) {
            marked[row as usize / 64] |= 1 << (row % 64);
        }
        for (first, mut bits) in (0_u32..).step_by(64).zip(marked) {
            while bits != 0 {
                let row = first + bits.trailing_zeros();
                bits &= bits - 1;
                let similarity = probe.similarity(&self.vector(row));
                if nearest.wants(similarity) && !dead.contains(row) {
                    nearest.offer(similarity, self.id(row));
                }
            }
        }
    }

    fn vector(&self, row: u32) -> Row<'_> {
        let (row, nodes) = (row as usize, self.codes.len());
        self.codes.row(if row < nodes { row } else { self.chunks.twins[row - nodes] as usize })
    }

    /// The rows that share a node.
    fn rows_at(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let (twins, nodes) = (&self.chunks.twins, self.codes.len());
        let first = if twins.is_empty() { 0 } else { twins.partition_point(|twin| *twin < node) };
        let same = twins[first..].iter().take_while(move |twin| **twin == node);
        once(node).chain((count(nodes + first)..).zip(same).map(|(row, _)| row))
    }
}

/// Which chunks have a vector that none before them has, and for each chunk the number of its vector among those.
fn group(chunks: &[(u64, Row<'_>)]) -> (Vec<usize>, Vec<u32>) {
    let mut known = HashMap::with_capacity(chunks.len());
    let (mut firsts, mut group_of) = (Vec::new(), Vec::with_capacity(chunks.len()));
    for (at, (_, row)) in chunks.iter().enumerate() {
        let group = *known.entry((row.codes, row.scale.to_bits())).or_insert_with(|| {
            firsts.push(at);
            count(firsts.len() - 1)
        });
        group_of.push(group);
    }
    (firsts, group_of)
}

/// The first place from `from` on that is not less than `id`, in steps that double.
fn gallop(ids: &[u64], from: usize, id: u64) -> usize {
    let mut step = 1;
    while from + step < ids.len() && ids[from + step] < id {
        step *= 2;
    }
    let until = ids.len().min(from + step + 1);
    let from = from.min(until);
    from + ids[from..until].partition_point(|other| *other < id)
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("a segment holds at most Limits::segment_max chunks")
}
