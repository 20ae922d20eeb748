//! Two rankings made one, by their scores: a weighted sum of how near a text is and how much of the query's words it
//! has (a convex combination: Bruch, Gai and Ingber, ACM TOIS 2023).
//!
//! Not by places (reciprocal rank fusion), because a place says nothing of whether the ranking knows anything: when a
//! question and its answer share no word that tells, the first by words is first by chance and would count as much as
//! the first by meaning. Measured on the labelled set (tests/quality), scores put a tenth more in the first place.

use std::collections::HashMap;

/// What the words count for; meaning counts for the rest. Chosen on one half of the labelled pairs; it changes little
/// between a quarter and a third.
const WORDS: f64 = 0.3;

/// From the text in this place on, nearness counts for nothing. Cosines of one model lie between 0 and 0.7, of another
/// between 0.7 and 0.9: what matters is how far one stands out from the many.
const FLOOR_AT: usize = 100;

/// Where a text stands in each ranking, from 0, and with which score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ranks {
    pub(crate) vector: Option<(usize, f64)>,
    pub(crate) words: Option<(usize, f64)>,
}

/// A text in the order of both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fused {
    pub(crate) text: u64,
    /// At most 1; below 0 for what is farther than the floor and has no word of the query.
    pub(crate) score: f64,
    pub(crate) ranks: Ranks,
}

/// Fuses two rankings, each best first: cosines, and BM25 of a query whose words weigh `weight` together. One that is
/// empty does not count.
pub(crate) fn fuse(vector: &[(u64, f64)], words: &[(u64, f64)], weight: f64) -> Vec<Fused> {
    let mut ranks: HashMap<u64, Ranks> = HashMap::new();
    for (rank, (text, score)) in vector.iter().enumerate() {
        ranks.entry(*text).or_default().vector = Some((rank, *score));
    }
    for (rank, (text, score)) in words.iter().enumerate() {
        ranks.entry(*text).or_default().words = Some((rank, *score));
    }
    let floor = vector.get(FLOOR_AT - 1).map_or(0.0, |(_, cosine)| cosine.clamp(0.0, 0.99));
    let near = |cosine: f64| (cosine - floor) / (1.0 - floor);
    // What is not in the ranking is farther than all that are.
    let farthest = vector.last().map_or(0.0, |(_, cosine)| near(*cosine).min(0.0));
    let share = match (vector.is_empty(), words.is_empty()) {
        (true, _) => 1.0,
        (_, true) => 0.0,
        _ => WORDS,
    };
    let mut fused: Vec<Fused> = ranks
        .into_iter()
        .map(|(text, ranks)| {
            let near = ranks.vector.map_or(farthest, |(_, cosine)| near(cosine));
            let has = ranks.words.map_or(0.0, |(_, score)| score / weight);
            // Alone, words need no bound, which would make equals of the best.
            let has = if share < 1.0 { has.min(1.0) } else { has };
            Fused { text, score: (1.0 - share) * near + share * has, ranks }
        })
        .collect();
    fused.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.text.cmp(&other.text)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(vector: &[(u64, f64)], words: &[(u64, f64)], weight: f64) -> Vec<u64> {
        fuse(vector, words, weight).iter().map(|fused| fused.text).collect()
    }

    #[test]
    fn what_both_find_is_before_what_one_finds() {
        let fused = fuse(&[(1, 0.6), (2, 0.5)], &[(2, 7.0), (3, 5.0)], 7.0);
        assert_eq!(fused.iter().map(|f| f.text).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(fused[0].ranks, Ranks { vector: Some((1, 0.5)), words: Some((0, 7.0)) });
        assert!((fused[0].score - 0.65).abs() < 1e-12, "{fused:?}");
        assert_eq!(fuse(&[], &[], 0.0), []);
    }

    #[test]
    fn words_that_tell_little_do_not_outvote_meaning() {
        let near = [(1, 0.6), (2, 0.4)];
        assert_eq!(order(&near, &[(2, 8.0)], 8.0), [2, 1], "it has all of the query");
        assert_eq!(order(&near, &[(2, 0.8)], 8.0), [1, 2], "it has one common word of it");
    }

    #[test]
    fn one_ranking_alone_keeps_its_order() {
        let many: Vec<(u64, f64)> = (0..300).map(|n| (n, 0.9 - n as f64 / 1000.0)).collect();
        let ids: Vec<u64> = (0..300).collect();
        assert_eq!(order(&many, &[], 0.0), ids);
        assert_eq!(order(&[], &many, 0.1), ids);
    }

    #[test]
    fn how_a_models_cosines_lie_does_not_matter() {
        let spread: Vec<(u64, f64)> = (0..200).map(|n| (n, 0.6 - n as f64 / 400.0)).collect();
        // The same with all cosines squeezed into the upper tenth.
        let crowded: Vec<(u64, f64)> =
            spread.iter().map(|(text, cosine)| (*text, 0.9 + cosine / 10.0)).collect();
        let words = [(150, 9.0), (30, 6.0), (7, 2.0)];
        assert_eq!(order(&spread, &words, 10.0)[..100], order(&crowded, &words, 10.0)[..100]);
    }
}
