//! What work is left: expanding rules counts its steps here, and stops where there are none.

/// Steps that may yet be taken.
#[derive(Debug)]
pub(crate) struct Steps(u64);

impl Steps {
    pub(crate) fn new(max: u64) -> Self {
        Self(max)
    }

    /// Takes so many; false once there are none left.
    pub(crate) fn take(&mut self, steps: u64) -> bool {
        self.0 = self.0.saturating_sub(steps);
        self.0 > 0
    }

    pub(crate) fn left(&self) -> bool {
        self.0 > 0
    }
}
