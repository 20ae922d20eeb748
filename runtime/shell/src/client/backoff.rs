//! How long to wait before trying again to connect. Pure: the dice are an argument.

use std::time::Duration;

/// Short enough that a daemon that restarts is back before anyone notices.
const FIRST: Duration = Duration::from_millis(200);
/// Long enough not to be a load; a person who waits types a command, which tries at once.
const LONGEST: Duration = Duration::from_secs(15);

/// The pause after `failures` failed attempts in a row. `dice` is in 0..1 and spreads the pause over its upper
/// half, so that many shells that lost one daemon do not come back in step.
pub(super) fn pause(failures: u32, dice: f64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    full.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failures: u32, dice: f64, expected_ms: u128) {
        assert_eq!(pause(failures, dice).as_millis(), expected_ms);
    }

    #[test]
    fn doubles_up_to_a_limit() {
        check(0, 1.0, 200);
        check(1, 1.0, 400);
        check(3, 1.0, 1600);
        check(7, 1.0, 15_000);
        check(u32::MAX, 1.0, 15_000);
    }

    #[test]
    fn dice_take_away_at_most_half() {
        check(0, 0.0, 100);
        check(1, 0.5, 300);
        check(40, 0.0, 7_500);
    }
}
