//! The best few of many, in one order everywhere: the more similar first, and of equals the lower number.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How similar something is; greater is nearer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Near<T> {
    pub(crate) similarity: f32,
    pub(crate) what: T,
}

impl<T: Ord> Ord for Near<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.similarity.total_cmp(&other.similarity).then_with(|| other.what.cmp(&self.what))
    }
}

impl<T: Ord> PartialOrd for Near<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Near<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Near<T> {}

/// Keeps the nearest `most` of what it is offered.
#[derive(Debug)]
pub(crate) struct Nearest<T> {
    most: usize,
    heap: BinaryHeap<Reverse<Near<T>>>,
    /// What has to be beaten once it is full; kept here because nearly every offer ends at this comparison.
    floor: f32,
}

impl<T: Ord + Copy> Nearest<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, heap: BinaryHeap::new(), floor: f32::NEG_INFINITY }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.heap.len() >= self.most
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// What has to be beaten; nothing, as long as it is not full.
    pub(crate) fn floor(&self) -> f32 {
        self.floor
    }

    /// Whether something this similar would be kept, as far as the similarity tells.
    pub(crate) fn wants(&self, similarity: f32) -> bool {
        similarity >= self.floor
    }

    pub(crate) fn offer(&mut self, similarity: f32, what: T) {
        if self.most == 0 || !self.wants(similarity) {
            return;
        }
        self.heap.push(Reverse(Near { similarity, what }));
        if self.heap.len() > self.most {
            self.heap.pop();
        }
        if self.is_full() {
            self.floor = self.heap.peek().map_or(f32::NEG_INFINITY, |last| last.0.similarity);
        }
    }

    /// Nearest first.
    pub(crate) fn into_sorted(self) -> Vec<Near<T>> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(near)| near).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_keeps_what_sorting_would(offers in prop::collection::vec((-4_i8..4, 0_u64..50), 0..60), most in 0_usize..20) {
            let mut nearest = Nearest::new(most);
            for (similarity, what) in &offers {
                nearest.offer(f32::from(*similarity), *what);
            }
            let mut sorted = offers;
            sorted.sort_by_key(|(similarity, what)| (Reverse(*similarity), *what));
            sorted.truncate(most);
            let kept = nearest.into_sorted();
            prop_assert_eq!(
                kept.iter().map(|near| (near.similarity, near.what)).collect::<Vec<_>>(),
                sorted.iter().map(|(similarity, what)| (f32::from(*similarity), *what)).collect::<Vec<_>>()
            );
        }
    }
}
