//! Walks: how much they find, with and without a filter, and where they end.

use std::collections::BTreeSet;

use super::*;
use crate::quantise::{Codes, Probe};
use crate::tests::{SHAPE, Truth, vector};

const NODES: u32 = 2000;
const ALL: Width = Width { kept: 64, beam: 64, floor: f32::NEG_INFINITY, visits_max: NODES as usize };

/// A graph, and the vectors by node.
fn built() -> (Graph, Codes) {
    let mut given = Codes::new(SHAPE.dimension);
    for vector in Truth::clustered(20, NODES as usize).0.values() {
        given.push(vector);
    }
    let rows: Vec<_> = given.rows().collect();
    let built = build(&rows, 1, &AtomicBool::new(false)).expect("it builds");
    let mut by_node: Vec<_> = built.nodes.iter().zip(rows).collect();
    by_node.sort_by_key(|(node, _)| **node);
    let mut codes = Codes::new(SHAPE.dimension);
    for (_, row) in by_node {
        codes.push_row(row);
    }
    (built.graph, codes)
}

/// How many of the best ten that are admitted a walk finds, in percent.
fn recall(graph: &Graph, codes: &Codes, admits: impl Fn(u32) -> bool) -> usize {
    let (mut found, mut wanted) = (0, 0);
    for seed in 0..100 {
        let probe = Probe::new(&vector(seed));
        let similarity = |node: u32| probe.similarity(&codes.row(node as usize));
        let mut best = Nearest::new(10);
        for node in (0..NODES).filter(|node| admits(*node)) {
            best.offer(similarity(node), node);
        }
        let best: BTreeSet<_> = best.into_sorted().iter().map(|near| near.what).collect();
        let walked = graph.walk(ALL, similarity, &admits).expect("there is no bound").into_sorted();
        assert!(walked.iter().all(|near| admits(near.what)));
        found += walked.iter().filter(|near| best.contains(&near.what)).count();
        wanted += best.len();
    }
    found * 100 / wanted
}

#[test]
fn a_walk_finds_nearly_all_that_is_admitted() {
    let (graph, codes) = built();
    assert!(graph.is_sound());
    assert!(recall(&graph, &codes, |_| true) >= 98);
    for part in [2, 3, 10, 50] {
        assert!(recall(&graph, &codes, |node| node % part == 0) >= 98, "1 of {part}");
    }
}

#[test]
fn a_walk_gives_up_when_it_is_told_to() {
    let (graph, codes) = built();
    let probe = Probe::new(&vector(1));
    let similarity = |node: u32| probe.similarity(&codes.row(node as usize));
    let bounded = Width { visits_max: 400, ..ALL };
    assert!(graph.walk(bounded, similarity, |_| false).is_none());
    assert!(graph.walk(ALL, similarity, |_| false).is_some_and(|found| !found.is_full()));
}

#[test]
fn one_thread_builds_the_same_graph_again() {
    assert_eq!(built(), built());
}

#[test]
fn a_graph_of_one_or_none_can_be_walked() {
    let mut codes = Codes::new(SHAPE.dimension);
    for count in 0..2 {
        let rows: Vec<_> = codes.rows().collect();
        let graph = build(&rows, 1, &AtomicBool::new(false)).expect("it builds").graph;
        let found = graph.walk(ALL, |_| 1.0, |_| true).expect("there is no bound").into_sorted();
        assert_eq!((found.len(), graph.len(), graph.is_sound()), (count, count, true));
        codes.push(&vector(1));
    }
}

#[test]
fn links_that_lead_out_of_their_layer_are_seen() {
    let (graph, _) = built();
    let copy = || Graph { ground: graph.ground.clone(), above: graph.above.clone() };
    let mut beyond = copy();
    beyond.ground[70] = NODES;
    let mut lower = copy();
    lower.above[0][1] = NODES - 1;
    let mut upside_down = copy();
    upside_down.above.reverse();
    let mut empty = copy();
    empty.above.push(Vec::new());
    for graph in [beyond, lower, upside_down, empty] {
        assert!(!graph.is_sound());
    }
}
