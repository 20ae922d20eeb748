//! Two rankings made one: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

use std::collections::HashMap;

/// How much the first places are worth more than those behind; the paper's value.
const K: f64 = 60.0;

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
    /// From 0 to 1: first in both is 1.
    pub(crate) score: f64,
    pub(crate) ranks: Ranks,
}

/// Fuses two rankings, each best first.
pub(crate) fn fuse(vector: &[(u64, f64)], words: &[(u64, f64)]) -> Vec<Fused> {
    let mut ranks: HashMap<u64, Ranks> = HashMap::new();
    for (rank, (text, score)) in vector.iter().enumerate() {
        ranks.entry(*text).or_default().vector = Some((rank, *score));
    }
    for (rank, (text, score)) in words.iter().enumerate() {
        ranks.entry(*text).or_default().words = Some((rank, *score));
    }
    #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
    let worth = |place: Option<(usize, f64)>| place.map_or(0.0, |(rank, _)| K / (K + rank as f64));
    let mut fused: Vec<Fused> = ranks
        .into_iter()
        .map(|(text, ranks)| Fused {
            text,
            score: f64::midpoint(worth(ranks.vector), worth(ranks.words)),
            ranks,
        })
        .collect();
    fused.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.text.cmp(&other.text)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_find_is_before_what_one_finds() {
        let fused = fuse(&[(1, 0.9), (2, 0.8)], &[(2, 7.0), (3, 5.0)]);
        assert_eq!(fused.iter().map(|f| f.text).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(fused[0].ranks, Ranks { vector: Some((1, 0.8)), words: Some((0, 7.0)) });
        let both = fuse(&[(1, 0.9)], &[(1, 7.0)]);
        assert!((both[0].score - 1.0).abs() < 1e-12);
        assert!((fuse(&[(1, 0.9)], &[])[0].score - 0.5).abs() < 1e-12);
        assert_eq!(fuse(&[], &[]), []);
    }
}
