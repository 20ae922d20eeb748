//! Filters: for any of them and any k, as many chunks as there can be.

use proptest::prelude::*;

use super::*;

#[test]
fn a_walk_with_a_filter_finds_what_matters() {
    let truth = Truth::clustered(5, 3000);
    let index = index(&truth, Limits { exact_max: 100, seal: 1500, segment_max: 3000, dead_percent: 20 });
    assert_eq!((index.stats().segments, index.stats().tail), (1, 0));
    for part in [2, 3, 8, 12, 100, 1000] {
        let allowed = truth.0.keys().copied().filter(|id| id % part == 0).collect();
        let (found, wanted) = truth.recall(&index, 50, 10, Some(&allowed));
        assert!(found * 100 >= wanted * 98, "1 of {part}: {found} of {wanted}");
    }
}

#[test]
fn what_is_allowed_far_away_is_found() {
    let truth = Truth::clustered(6, 2000);
    let index = index(&truth, Limits { exact_max: 100, seal: 2000, segment_max: 2000, dead_percent: 20 });
    let query = truth.0[&0].clone();
    let mut by_distance = truth.best(&Query { vector: &query, k: 2000, allowed: None });
    by_distance.reverse();
    // The farther half alone is allowed: the walk begins in the midst of what is not.
    let allowed = by_distance[..1000].iter().map(|hit| hit.id).collect();
    let query = Query { vector: &query, k: 10, allowed: Some(&allowed) };
    assert_eq!(index.search(&query, &truth).expect("it is there"), truth.best(&query));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_filter_and_any_k_give_as_many_as_can_be(
        chunks in 0_usize..150,
        k in 0_usize..60,
        allowed in prop::option::of(prop::collection::btree_set(0_u64..200, 0..200)),
        deleted in prop::collection::btree_set(0_u64..150, 0..60),
        again in 0_u64..40,
    ) {
        let mut truth = Truth::clustered(7, chunks);
        // Every few are equal.
        for (id, value) in &mut truth.0 {
            if id % 5 == 0 {
                *value = vector(id % 3);
            }
        }
        let index = index(&truth, SMALL);
        let deleted: RoaringTreemap = deleted.into_iter().collect();
        let there = truth.0.len();
        truth.0.retain(|id, _| !deleted.contains(*id));
        prop_assert_eq!(index.delete(&deleted), there - truth.0.len());
        // Some more in the tail.
        let more: Vec<_> = (1000..1000 + again % 8).map(|id| (id, vector(id))).collect();
        index.insert(&more).expect("good vectors");
        truth.0.extend(more);
        prop_assert_eq!(index.ids(), truth.0.keys().copied().collect::<RoaringTreemap>());

        let allowed: Option<RoaringTreemap> = allowed.map(|allowed| allowed.into_iter().collect());
        let question = vector(again);
        let query = Query { vector: &question, k, allowed: allowed.as_ref() };
        let hits = index.search(&query, &truth).expect("it is there");
        let best = truth.best(&query);
        prop_assert_eq!(hits.len(), best.len());
        prop_assert!(hits.iter().all(|hit| allowed.as_ref().is_none_or(|allowed| allowed.contains(hit.id))));
        // Segments of 32 are walked whole or scanned, and 4 k candidates hold the best k of so few.
        prop_assert_eq!(
            hits.iter().map(|hit| hit.score).collect::<Vec<_>>(),
            best.iter().map(|hit| hit.score).collect::<Vec<_>>()
        );
    }
}
