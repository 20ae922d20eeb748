//! A graph of neighbours in layers (HNSW): instant-distance builds it, and what is built is walked here.
//!
//! instant-distance's own search has no filter, freezes its width (`ef`) at the build, and keeps every point as a value
//! of its own. The walk below is the same algorithm over one piece of memory, with the width of the question, a filter
//! on what may be found (what may not is still walked over, or the graph would fall apart) and a bound on its work. The
//! graph is taken out of instant-distance in the form that it publishes for serde.

use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use instant_distance::{Builder, Heuristic, Point};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::VectorsError;
use crate::near::{Near, Nearest};
use crate::quantise::Row;

/// Neighbours of a node on the ground layer, and on those above: instant-distance's own numbers.
pub(crate) const LINKS_GROUND: usize = 64;
pub(crate) const LINKS_ABOVE: usize = 32;

/// No neighbour: the rest of the slots is empty as well.
pub(crate) const NONE: u32 = u32::MAX;

/// How many neighbours are considered for each new node. 100 is instant-distance's own default and takes more than twice
/// as long for a recall that is not measurably better on 128 k points.
const EF_CONSTRUCTION: usize = 40;

/// Any number: the same points give the same graph, as long as one thread builds it.
const SEED: u64 = 5;

/// Links between nodes, which are numbered so that each layer holds the first so many of them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Graph {
    /// [`LINKS_GROUND`] for each node.
    pub(crate) ground: Vec<u32>,
    /// [`LINKS_ABOVE`] for each node of the layer, the lowest layer first.
    pub(crate) above: Vec<Vec<u32>>,
}

/// A graph, and for each of the points that it was built of the node that it became.
pub(crate) struct BuiltGraph {
    pub(crate) graph: Graph,
    pub(crate) nodes: Vec<u32>,
}

/// Builds a graph of `rows` with `threads` threads, until `cancel` is set. Equal rows do not find themselves afterwards:
/// leave them out. About 30 s for 100 k rows of 384 dimensions on two cores.
///
/// # Errors
/// [`VectorsError::Cancelled`]; when threads cannot be started; when instant-distance's form is not the one known here.
pub(crate) fn build(
    rows: &[Row<'_>],
    threads: usize,
    cancel: &AtomicBool,
) -> Result<BuiltGraph, VectorsError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|number| format!("vectors-{number}"))
        .build()
        .map_err(|source| VectorsError::Threads { source: Box::new(source) })?;
    let points: Vec<_> = rows.iter().map(|row| Watched { row: *row, cancel }).collect();
    // extend_candidates: true never ends in 0.6.1.
    let heuristic = Heuristic { extend_candidates: false, keep_pruned: true };
    let builder =
        Builder::default().ef_construction(EF_CONSTRUCTION).select_heuristic(Some(heuristic)).seed(SEED);
    let built = catch_unwind(AssertUnwindSafe(|| pool.install(|| builder.build_hnsw(points))));
    let (hnsw, nodes) = match built {
        Ok(built) => built,
        Err(payload) if payload.is::<Stopped>() => return Err(VectorsError::Cancelled),
        Err(payload) => resume_unwind(payload),
    };
    let bytes = postcard::to_allocvec(&hnsw).map_err(|source| VectorsError::Graph { source })?;
    drop(hnsw);
    let taken: Taken = postcard::from_bytes(&bytes).map_err(|source| VectorsError::Graph { source })?;
    let ground = taken.zero.iter().flat_map(|(first, second)| first.iter().chain(second)).copied().collect();
    let above = taken.layers.into_iter().map(|layer| layer.into_iter().flatten().collect()).collect();
    let nodes = nodes.into_iter().map(instant_distance::PointId::into_inner).collect();
    Ok(BuiltGraph { graph: Graph { ground, above }, nodes })
}

/// A point that ends the build when it is cancelled. instant-distance cannot be asked to stop, but it asks for distances
/// all the time, and an unwinding thread ends the others within one insertion each.
#[derive(Clone)]
struct Watched<'a> {
    row: Row<'a>,
    cancel: &'a AtomicBool,
}

/// What a cancelled build unwinds with. Not a panic: no hook runs and nothing is printed.
struct Stopped;

impl Point for Watched<'_> {
    fn distance(&self, other: &Self) -> f32 {
        if self.cancel.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
        1.0 - self.row.similarity(&other.row)
    }
}

impl Serialize for Watched<'_> {
    /// Nothing: only the graph is wanted.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// `instant_distance::Hnsw` as it serialises itself. An array of 64 is written as two of 32, which serde can read.
#[derive(Deserialize)]
struct Taken {
    #[expect(dead_code, reason = "the width of a search comes with the question")]
    ef_search: u64,
    #[expect(dead_code, reason = "the points are ours")]
    points: Vec<()>,
    zero: Vec<([u32; LINKS_ABOVE], [u32; LINKS_ABOVE])>,
    layers: Vec<Vec<[u32; LINKS_ABOVE]>>,
}

/// How a walk is bounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Width {
    /// How many are kept (`ef`): the wider, the more certain.
    pub(crate) kept: usize,
    /// How many of those are looked for whatever they are like: a way to something near leads past what is less so.
    pub(crate) beam: usize,
    /// What is less similar than this is of no use but to find the way.
    pub(crate) floor: f32,
    /// How many nodes may be compared before the walk gives up.
    pub(crate) visits_max: usize,
}

impl Graph {
    pub(crate) fn len(&self) -> usize {
        self.ground.len() / LINKS_GROUND
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        (self.ground.capacity() + self.above.iter().map(Vec::capacity).sum::<usize>()) * size_of::<u32>()
    }

    /// Whether every link leads to a node of its layer, so that no walk can leave the graph.
    pub(crate) fn is_sound(&self) -> bool {
        let fits = |links: &[u32], per_node: usize, below: usize| {
            let nodes = links.len() / per_node;
            let inside = |link: &u32| *link == NONE || (*link as usize) < nodes;
            links.len().is_multiple_of(per_node) && nodes <= below && links.iter().all(inside)
        };
        let mut below = self.len();
        fits(&self.ground, LINKS_GROUND, below)
            && self.above.iter().all(|layer| {
                let sound = !layer.is_empty() && fits(layer, LINKS_ABOVE, below);
                below = layer.len() / LINKS_ABOVE;
                sound
            })
    }

    /// The nodes nearest by `similarity` among those that `admits` lets in. `None` when it took too many visits. Fewer
    /// than `width.kept` when no more could be reached, which is not a proof that there are no more, or when
    /// `width.beam` were found and what is left is below `width.floor`.
    pub(crate) fn walk(
        &self,
        width: Width,
        similarity: impl Fn(u32) -> f32,
        admits: impl Fn(u32) -> bool,
    ) -> Option<Nearest<u32>> {
        let (mut found, mut beam) = (Nearest::new(width.kept), Nearest::new(width.beam));
        if self.ground.is_empty() {
            return Some(found);
        }
        let start = self.descend(&similarity);
        let mut visited = vec![0_u64; self.len().div_ceil(64)];
        let mut visits = 1;
        let mut open = BinaryHeap::from([start]);
        visit(&mut visited, start.what);
        if admits(start.what) {
            found.offer(start.similarity, start.what);
            beam.offer(start.similarity, start.what);
        }
        while let Some(next) = open.pop() {
            let is_useless = next.similarity < width.floor && beam.is_full() && !beam.wants(next.similarity);
            if is_useless || (found.is_full() && !found.wants(next.similarity)) {
                break;
            }
            for link in links(&self.ground, LINKS_GROUND, next.what) {
                if !visit(&mut visited, link) {
                    continue;
                }
                visits += 1;
                let near = similarity(link);
                if !found.is_full() || found.wants(near) {
                    open.push(Near { similarity: near, what: link });
                    if admits(link) {
                        found.offer(near, link);
                        beam.offer(near, link);
                    }
                }
            }
            if visits > width.visits_max {
                return None;
            }
        }
        Some(found)
    }

    /// Goes down the layers, in each to the node from which no neighbour is nearer.
    fn descend(&self, similarity: &impl Fn(u32) -> f32) -> Near<u32> {
        let mut here = Near { similarity: similarity(0), what: 0 };
        for layer in self.above.iter().rev() {
            loop {
                let near = links(layer, LINKS_ABOVE, here.what)
                    .map(|link| Near { similarity: similarity(link), what: link });
                match near.max() {
                    Some(best) if best.similarity > here.similarity => here = best,
                    _ => break,
                }
            }
        }
        here
    }
}

fn links(layer: &[u32], per_node: usize, node: u32) -> impl Iterator<Item = u32> + '_ {
    let start = node as usize * per_node;
    layer[start..start + per_node].iter().copied().take_while(|link| *link != NONE)
}

/// Marks a node; whether it was not yet.
fn visit(visited: &mut [u64], node: u32) -> bool {
    let (word, bit) = (&mut visited[node as usize / 64], 1 << (node % 64));
    let new = *word & bit == 0;
    *word |= bit;
    new
}

#[cfg(test)]
mod tests;
