//! How long things take, in fixed buckets: nothing is allocated or locked per value.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Handling times. Bucket `n` counts those below `2^n` microseconds that no lower
/// bucket counted; the last one also counts all that took longer.
#[derive(Debug)]
pub(crate) struct Histogram([AtomicU64; BUCKETS]);

/// The last bucket starts at 2^22 us = 4 s. A handler that takes seconds is broken
/// (slow work belongs in a task); how many seconds tells nothing more.
pub(crate) const BUCKETS: usize = 24;

// === impl Histogram ===

impl Histogram {
    pub(crate) fn record(&self, took: Duration) {
        self.0[bucket_of(micros(took))].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> [u64; BUCKETS] {
        array::from_fn(|bucket| self.0[bucket].load(Relaxed))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The number of bits that `micros` needs: 0 us in bucket 0, 1 in 1, 2 and 3 in 2.
fn bucket_of(micros: u64) -> usize {
    ((u64::BITS - micros.leading_zeros()) as usize).min(BUCKETS - 1)
}

/// The upper bound of the bucket that holds the `share` quantile, in microseconds.
pub(crate) fn quantile(buckets: &[u64; BUCKETS], share: f64) -> Option<u64> {
    let total: u64 = buckets.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = share * total as f64;
    let mut below = 0;
    let bucket = buckets.iter().position(|count| {
        below += count;
        below as f64 >= rank
    });
    Some(1 << bucket.unwrap_or(BUCKETS - 1))
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_at_a_power_of_two() {
        let check = |micros, bucket| assert_eq!(bucket_of(micros), bucket, "{micros} us");
        check(0, 0);
        check(1, 1);
        check(2, 2);
        check(3, 2);
        check(4, 3);
        check(1_000, 10);
        check(u64::MAX, BUCKETS - 1);
    }

    #[test]
    fn a_quantile_is_the_upper_bound_of_its_bucket() {
        let mut buckets = [0; BUCKETS];
        assert_eq!(quantile(&buckets, 0.5), None);
        buckets[bucket_of(10)] = 98;
        buckets[bucket_of(900)] = 2;
        assert_eq!(quantile(&buckets, 0.5), Some(16));
        assert_eq!(quantile(&buckets, 0.99), Some(1024));
    }
}
