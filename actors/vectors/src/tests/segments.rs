//! Segments: recall of their graphs, duplicates, what is sealed and merged when, and a build that is cancelled.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn graphs_find_nearly_all() {
    let truth = Truth::clustered(1, 3000);
    let index = index(&truth, Limits { exact_max: 100, seal: 1500, segment_max: 1500, dead_percent: 20 });
    assert_eq!((index.stats().segments, index.stats().tail), (2, 0));
    let (found, wanted) = truth.recall(&index, 200, 10, None);
    assert!(found * 100 >= wanted * 98, "{found} of {wanted}");
}

#[test]
fn many_are_found_in_many_segments_wherever_they_are() {
    let truth = Truth::clustered(3, 6000);
    // Eight segments: by their ids, which are spread over all clusters, and each cluster in one.
    let limits = Limits { exact_max: 100, seal: 750, segment_max: 750, dead_percent: 20 };
    let spread = index(&truth, limits);
    let mut order: Vec<_> = truth.0.iter().collect();
    order.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    let sorted =
        Truth(order.into_iter().zip(0_u64..).map(|((_, vector), id)| (id, vector.clone())).collect());
    let apart = index(&sorted, limits);
    for (index, truth) in [(&spread, &truth), (&apart, &sorted)] {
        assert_eq!(index.stats().segments, 8);
        let (found, wanted) = truth.recall(index, 50, 100, None);
        assert!(found * 100 >= wanted * 98, "{found} of {wanted}");
    }
}

#[test]
fn duplicates_find_themselves() {
    let mut truth = Truth::clustered(2, 2000);
    for (id, value) in &mut truth.0 {
        if id % 2 == 0 {
            *value = vector(id % 40);
        }
    }
    let index = index(&truth, Limits { exact_max: 100, seal: 2000, segment_max: 2000, dead_percent: 20 });
    for (id, value) in &truth.0 {
        let hits = index.search(&Query { vector: value, k: 50, allowed: None }, &truth).expect("it is there");
        assert!(hits.iter().any(|hit| hit.id == *id), "{id}");
    }
    // 1020 vectors and not 2000: 50 chunks share each of the others.
    let alone = self::index(&Truth::clustered(2, 2000), index.limits);
    assert!(index.stats().bytes * 10 < alone.stats().bytes * 6);
}

#[test]
fn a_live_twin_of_a_dead_chunk_is_found() {
    let truth = Truth((0..64).map(|id| (id, vector(id / 2))).collect());
    let index = index(&truth, Limits { exact_max: 10, seal: 64, segment_max: 64, dead_percent: 90 });
    index.delete(&truth.0.keys().copied().filter(|id| id % 2 == 0).collect());
    for id in (1..64).step_by(2) {
        let query = Query { vector: &vector(id / 2), k: 1, allowed: None };
        assert_eq!(index.search(&query, &truth).expect("it is there")[0].id, id);
    }
}

#[test]
fn segments_grow_as_a_binary_counter_does() {
    let index = Index::in_memory(SHAPE, SMALL).expect("a good shape");
    let mut sizes = Vec::new();
    for chunk in 0..88 {
        index.insert(&[(chunk, vector(chunk))]).expect("a good vector");
        settle(&index);
        let mut now: Vec<_> = index.view().segments.iter().map(|placed| placed.segment.len()).collect();
        now.sort_unstable();
        if sizes.last() != Some(&now) {
            sizes.push(now);
        }
    }
    let expected: &[&[usize]] = &[
        &[],
        &[16],
        &[8, 16],
        &[32],
        &[8, 32],
        &[16, 32],
        &[8, 16, 32],
        &[32, 32],
        &[8, 32, 32],
        &[16, 32, 32],
        &[8, 16, 32, 32],
    ];
    assert_eq!(sizes, expected);
}

#[test]
fn many_at_once_are_sealed_in_the_largest_segments() {
    let index = index(&Truth::clustered(8, 109), SMALL);
    let mut sizes: Vec<_> = index.view().segments.iter().map(|placed| placed.segment.len()).collect();
    sizes.sort_unstable();
    assert_eq!((sizes, index.stats().tail), (vec![8, 32, 32, 32], 5));
}

#[test]
fn a_fifth_dead_is_built_again() {
    let truth = Truth::clustered(9, 32);
    let index = index(&truth, Limits { exact_max: 31, seal: 32, segment_max: 32, dead_percent: 20 });
    index.delete(&(0..6).collect());
    assert!(index.plan().is_none());
    index.delete(&(6..7).collect());
    let plan = index.plan().expect("7 of 32 are dead");
    assert_eq!((plan.chunks(), plan.segments()), (25, 1));
    settle(&index);
    assert_eq!((index.stats().chunks, index.stats().dead), (25, 0));
    index.delete(&(0..32).collect());
    settle(&index);
    assert_eq!((index.stats().chunks, index.stats().segments), (0, 0));
}

#[test]
fn a_cancelled_build_ends_soon_and_changes_nothing() {
    let truth = Truth::clustered(10, 20_000);
    let index =
        Index::in_memory(SHAPE, Limits { exact_max: 10, seal: 20_000, ..SMALL }).expect("a good shape");
    index.insert(&truth.chunks()).expect("good vectors");
    let (plan, cancel) = (index.plan().expect("the tail is long"), AtomicBool::new(false));
    thread::scope(|scope| {
        let build = scope.spawn(|| plan.build(2, &cancel));
        cancel.store(true, Ordering::Relaxed);
        let cancelled = Instant::now();
        assert!(matches!(build.join().expect("no panic"), Err(VectorsError::Cancelled)));
        assert!(cancelled.elapsed() < Duration::from_secs(2));
    });
    assert_eq!((index.stats().chunks, index.stats().tail), (20_000, 20_000));
}

#[test]
fn a_build_of_what_was_replaced_is_stale() {
    let truth = Truth::clustered(11, 32);
    let index = index(&truth, SMALL);
    index.delete(&(0..10).collect());
    let plans = [index.plan(), index.plan()].map(|plan| plan.expect("much is dead"));
    let [first, second] = plans.map(|plan| plan.build(1, &AtomicBool::new(false)).expect("it builds"));
    index.install(first).expect("nobody else has built");
    assert!(matches!(index.install(second), Err(VectorsError::Stale)));
    assert_eq!(index.stats().chunks, 22);
}
