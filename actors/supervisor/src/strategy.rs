//! Who is restarted when a child ends. Pure: OTP's tables as functions.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ended::Ended;

/// Which children go down and up again with the one that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Only the one that ended: the children do not need one another.
    #[default]
    OneForOne,
    /// All of them: none is of use without the others.
    OneForAll,
    /// It and those that were started after it, because they build on it.
    RestForOne,
}

/// Whether a child that ended is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// Only after a failure; a normal end is the end.
    Transient,
    /// Never.
    Temporary,
}

/// Whether a supervisor ends when its significant children have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoShutdown {
    /// It stays.
    #[default]
    Never,
    /// It ends with the first of them.
    AnySignificant,
    /// It ends with the last of them.
    AllSignificant,
}

// === impl Strategy ===

impl Strategy {
    /// The positions, in start order, that go down and up with the child at `ended`.
    pub(crate) fn affected(self, ended: usize, count: usize) -> Range<usize> {
        match self {
            Self::OneForOne => ended..ended + 1,
            Self::OneForAll => 0..count,
            Self::RestForOne => ended..count,
        }
    }
}

// === impl Restart ===

impl Restart {
    /// Whether a child that ended in this way is started again.
    pub(crate) fn wanted_after(self, ended: &Ended) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => ended.is_failure(),
            Self::Temporary => false,
        }
    }
}

// === impl AutoShutdown ===

impl AutoShutdown {
    /// Whether the supervisor ends, now that a significant child has ended and
    /// `left` others of its significant children still run.
    pub(crate) fn ends_with(self, left: usize) -> bool {
        match self {
            Self::Never => false,
            Self::AnySignificant => true,
            Self::AllSignificant => left == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_names_who_goes_down_together() {
        let check = |strategy: Strategy, ended, expected| assert_eq!(strategy.affected(ended, 4), expected);
        check(Strategy::OneForOne, 0, 0..1);
        check(Strategy::OneForOne, 3, 3..4);
        check(Strategy::OneForAll, 0, 0..4);
        check(Strategy::OneForAll, 3, 0..4);
        check(Strategy::RestForOne, 0, 0..4);
        check(Strategy::RestForOne, 2, 2..4);
        check(Strategy::RestForOne, 3, 3..4);
    }

    #[test]
    fn a_restart_type_says_which_end_is_the_end() {
        let normal = || Ended::Normally { reason: None };
        let failed = || Ended::Failed { text: "out of ideas".into() };
        let check = |restart: Restart, ended: Ended, expected| {
            assert_eq!(restart.wanted_after(&ended), expected, "{restart:?} after {ended:?}");
        };
        check(Restart::Permanent, normal(), true);
        check(Restart::Permanent, failed(), true);
        check(Restart::Permanent, Ended::Killed, true);
        check(Restart::Transient, normal(), false);
        check(Restart::Transient, failed(), true);
        check(Restart::Transient, Ended::Killed, true);
        check(Restart::Temporary, normal(), false);
        check(Restart::Temporary, failed(), false);
        check(Restart::Temporary, Ended::Killed, false);
    }

    #[test]
    fn significant_children_take_their_supervisor_along() {
        let check = |shutdown: AutoShutdown, left, expected| assert_eq!(shutdown.ends_with(left), expected);
        check(AutoShutdown::Never, 0, false);
        check(AutoShutdown::AnySignificant, 2, true);
        check(AutoShutdown::AllSignificant, 2, false);
        check(AutoShutdown::AllSignificant, 0, true);
    }
}
