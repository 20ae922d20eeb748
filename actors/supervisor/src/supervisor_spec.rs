//! One supervisor and all below it, as a declaration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::Intensity;
use crate::child_spec::ChildSpec;
use crate::handle::SupervisorHandle;
use crate::slot::Slot;
use crate::strategy::{AutoShutdown, Strategy};
use crate::supervisor::Msg;

/// One supervisor: its children in start order, and its strategy for them.
pub struct SupervisorSpec {
    pub(crate) id: Arc<str>,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) auto_shutdown: AutoShutdown,
    pub(crate) dynamic_max: usize,
    pub(crate) children: Vec<Arc<ChildSpec>>,
    pub(crate) slot: Slot<Msg>,
}

/// A spec that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Ids are the segments of paths.
    #[error("the id {0:?} is empty or contains '/'")]
    BadId(Arc<str>),
    /// Siblings are told apart by their ids.
    #[error("two children are called {0:?}")]
    Twice(Arc<str>),
    /// The other strategies go by start order, which children that come and go do not have.
    #[error("supervisor {0:?} has dynamic children, so its strategy must be one_for_one")]
    DynamicNeedsOneForOne(Arc<str>),
}

// === impl SupervisorSpec ===

impl SupervisorSpec {
    /// A supervisor without children: one for one, 3 restarts in 60 s.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            auto_shutdown: AutoShutdown::default(),
            dynamic_max: 0,
            children: Vec::new(),
            slot: Slot::vacant(),
        }
    }

    /// Who goes down and up with a child that ended.
    #[must_use]
    pub fn strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// When to give up: after more than `restarts` in `within`, over all children.
    #[must_use]
    pub fn intensity(self, restarts: u32, within: Duration) -> Self {
        Self { intensity: Intensity::new(restarts, within), ..self }
    }

    /// Whether to end with the significant children.
    #[must_use]
    pub fn auto_shutdown(self, auto_shutdown: AutoShutdown) -> Self {
        Self { auto_shutdown, ..self }
    }

    /// How many children may be there at one time that were started by
    /// [`SupervisorHandle::start_child`]. None, unless this is said.
    #[must_use]
    pub fn dynamic(self, max: usize) -> Self {
        Self { dynamic_max: max, ..self }
    }

    /// One more child, started after those before it and stopped before them.
    #[must_use]
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(Arc::new(child));
        self
    }

    /// The way to this supervisor. It can be handed out before the tree is started,
    /// and stays good when the supervisor is restarted.
    pub fn handle(&self) -> SupervisorHandle {
        SupervisorHandle::new(self.slot.clone())
    }

    pub(crate) fn check(&self) -> Result<(), SpecError> {
        check_id(&self.id)?;
        if self.dynamic_max > 0 && self.strategy != Strategy::OneForOne {
            return Err(SpecError::DynamicNeedsOneForOne(Arc::clone(&self.id)));
        }
        for (position, child) in self.children.iter().enumerate() {
            child.check()?;
            if self.children[..position].iter().any(|earlier| earlier.id == child.id) {
                return Err(SpecError::Twice(Arc::clone(&child.id)));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SupervisorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorSpec")
            .field("id", &self.id)
            .field("strategy", &self.strategy)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

/// Ids are the segments of paths.
pub(crate) fn check_id(id: &Arc<str>) -> Result<(), SpecError> {
    if id.is_empty() || id.contains('/') { Err(SpecError::BadId(Arc::clone(id))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_that_cannot_be_meant_is_refused() {
        let empty = |id: &'static str| ChildSpec::supervisor(SupervisorSpec::new(id));
        let check = |spec: SupervisorSpec, expected| assert_eq!(spec.check(), expected);
        check(SupervisorSpec::new("root").child(empty("a")).child(empty("b")), Ok(()));
        check(SupervisorSpec::new(""), Err(SpecError::BadId("".into())));
        check(SupervisorSpec::new("root").child(empty("a/b")), Err(SpecError::BadId("a/b".into())));
        check(
            SupervisorSpec::new("root").child(empty("a")).child(empty("a")),
            Err(SpecError::Twice("a".into())),
        );
        check(
            SupervisorSpec::new("root").strategy(Strategy::RestForOne).dynamic(1),
            Err(SpecError::DynamicNeedsOneForOne("root".into())),
        );
    }
}
