//! Which of the times that a rule gives are taken, and when it has given enough.

use std::ops::{ControlFlow, Range};

use jiff::civil::DateTime;

use crate::zone::civil;

/// Times as they are given, and which of them are wanted.
pub(crate) struct Taking<'a> {
    /// The one before.
    last: Option<i64>,
    pub(crate) window: Range<i64>,
    /// The caller's own conditions.
    wanted: &'a dyn Fn(DateTime) -> bool,
    max: usize,
    /// How many the rule's COUNT leaves.
    left: Option<u64>,
    found: Vec<DateTime>,
}

/// Why no more times are taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There are none within the window.
    All,
    /// They are too many, or cost too much.
    Early,
}

impl<'a> Taking<'a> {
    pub(crate) fn new(
        window: Range<i64>,
        wanted: &'a dyn Fn(DateTime) -> bool,
        max: usize,
        left: Option<u64>,
    ) -> Self {
        Self { last: None, window, wanted, max, left, found: Vec::new() }
    }

    pub(crate) fn finish(self) -> Vec<DateTime> {
        self.found
    }

    /// Takes the next one.
    pub(crate) fn take(&mut self, at: i64) -> ControlFlow<Ended> {
        if at >= self.window.end {
            return ControlFlow::Break(Ended::All);
        }
        if self.found.len() >= self.max {
            return ControlFlow::Break(Ended::Early);
        }
        // The start is given first, and then perhaps by the rule again.
        if self.last.replace(at).is_some_and(|last| last == at) {
            return ControlFlow::Continue(());
        }
        if at >= self.window.start && (self.wanted)(civil(at)) {
            self.found.push(civil(at));
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) { ControlFlow::Break(Ended::All) } else { ControlFlow::Continue(()) }
    }
}
