//! The way to a supervisor, for those who start, stop or restart its children.

use std::sync::Arc;
use std::time::Duration;

use crate::child_spec::ChildSpec;
use crate::launch::StartFailed;
use crate::slot::{CallError, Slot};
use crate::snapshot::Node;
use crate::supervisor::{Msg, Reply};
use crate::supervisor_spec::SpecError;

/// A lasting way to one supervisor. Asks go down the tree: a child that asks its own
/// supervisor from `pre_start` waits for itself.
#[derive(Clone, Debug)]
pub struct SupervisorHandle(Slot<Msg>);

/// A supervisor could not do with a child what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// There is none of this id.
    #[error("there is no child {0:?}")]
    NoSuchChild(Arc<str>),
    /// There is one of this id already.
    #[error("there is a child {0:?} already")]
    AlreadyThere(Arc<str>),
    /// As many as may be are there; end one first.
    #[error("all {max} places are taken")]
    Full {
        /// How many may be there.
        max: usize,
    },
    /// The spec cannot be meant.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// It was tried, and it did not come up.
    #[error(transparent)]
    NotStarted(Arc<StartFailed>),
    /// The supervisor gave no answer.
    #[error("the supervisor did not do it")]
    Supervisor(#[source] CallError),
}

/// A supervisor answers when a child has started or drained, and both have bounds of
/// their own. This one is for callers whose supervisor is busy with something worse.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

// === impl SupervisorHandle ===

impl SupervisorHandle {
    pub(crate) fn new(slot: Slot<Msg>) -> Self {
        Self(slot)
    }

    /// Starts one more child. It lives as long as this incarnation of the supervisor:
    /// what its own restart brings back are the children of its spec.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<(), ChildError> {
        self.ask(|reply| Msg::Start(Box::new(spec), reply)).await
    }

    /// Drains a child, kills it if it does not, and returns when it has ended. It stays
    /// stopped until it is restarted on request, or together with a sibling.
    pub async fn stop_child(&self, id: &str) -> Result<(), ChildError> {
        self.ask(|reply| Msg::Stop(id.into(), reply)).await
    }

    /// Drains a child if it runs, starts it, and returns when it has started. If it does
    /// not start, that counts as a failure of the child.
    pub async fn restart_child(&self, id: &str) -> Result<(), ChildError> {
        self.ask(|reply| Msg::Restart(id.into(), reply)).await
    }

    /// The children, as in [`Tree::snapshot`](crate::Tree::snapshot), up to 100.
    pub async fn children(&self) -> Result<Vec<Node>, CallError> {
        self.0.call(Msg::Children, ANSWER_WITHIN).await
    }

    async fn ask(&self, ask: impl FnOnce(Reply) -> Msg) -> Result<(), ChildError> {
        self.0.call(ask, ANSWER_WITHIN).await.map_err(ChildError::Supervisor)?
    }
}
