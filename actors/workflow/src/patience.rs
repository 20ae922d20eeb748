//! How long is waited before a further try.

use std::time::Duration;

use crate::model::Again;
use crate::span::Span;

/// Further tries where only `retry:` says that there are any.
const TRIES: u32 = 3;

/// The wait before the try after `failed` ones; `None` when there is none. `chance` is from 0 to 1.
pub fn wait(again: &Again, failed: u32, chance: f64) -> Option<Duration> {
    if failed == 0 || failed > again.max.unwrap_or(TRIES) {
        return None;
    }
    let first = again.backoff.unwrap_or(Span::seconds(1)).duration().as_secs_f64();
    let longest = again.max_backoff.unwrap_or(Span::seconds(300)).duration().as_secs_f64();
    let factor = again.factor.unwrap_or(2.0).max(1.0);
    let grown = first * factor.powi(i32::try_from(failed - 1).unwrap_or(i32::MAX).min(1000));
    let jitter = again.jitter.unwrap_or(0.0).clamp(0.0, 1.0) * (2.0 * chance.clamp(0.0, 1.0) - 1.0);
    let wait = grown.min(longest) * (1.0 + jitter);
    Some(Duration::try_from_secs_f64(wait).unwrap_or(Duration::from_mins(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let again = Again { max: Some(4), max_backoff: Some(Span::seconds(3)), ..Again::default() };
        let waits: Vec<_> =
            (0..=5).map(|failed| wait(&again, failed, 0.5).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [None, Some(1), Some(2), Some(3), Some(3), None]);
    }

    #[test]
    fn chance_makes_them_longer_and_shorter() {
        let again = Again { jitter: Some(0.5), ..Again::default() };
        let waits = [0.0, 0.5, 1.0].map(|chance| wait(&again, 1, chance).unwrap().as_millis());
        assert_eq!(waits, [500, 1000, 1500]);
    }
}
