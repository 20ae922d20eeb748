//! The obligation to answer one request, as the transport gave it to us.

use std::sync::Arc;
use std::time::Instant;

use protocol::{Cancel, Conclusion, Outbox};

use crate::rpc::RpcError;

/// Answers one request once; dropped unanswered, it says that the work was lost.
pub struct Out {
    outbox: Arc<dyn Outbox>,
    ticket: u64,
    /// Raised when the answer is no longer wanted.
    pub cancel: Cancel,
    /// When it no longer is.
    pub deadline: Instant,
    answered: bool,
}

/// Sends what belongs to a request ahead of its answer.
#[derive(Clone)]
pub(crate) struct News {
    outbox: Arc<dyn Outbox>,
    ticket: u64,
}

impl Out {
    /// The obligation to answer the call `ticket` of the connection behind `outbox`.
    pub fn new(outbox: Arc<dyn Outbox>, ticket: u64, cancel: Cancel, deadline: Instant) -> Self {
        Self { outbox, ticket, cancel, deadline, answered: false }
    }

    pub(crate) fn result(mut self, result: impl Into<Conclusion>) {
        self.conclude(result.into());
    }

    pub(crate) fn error(mut self, error: &RpcError) {
        self.conclude(error.conclusion());
    }

    pub(crate) fn finish(self, outcome: Result<impl Into<Conclusion>, RpcError>) {
        match outcome {
            Ok(result) => self.result(result),
            Err(error) => self.error(&error),
        }
    }

    pub(crate) fn news(&self) -> News {
        News { outbox: Arc::clone(&self.outbox), ticket: self.ticket }
    }

    /// Gives the request until `deadline` instead.
    pub(crate) fn extend(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.outbox.extend(self.ticket, deadline);
    }

    fn conclude(&mut self, conclusion: Conclusion) {
        self.answered = true;
        self.outbox.conclude(self.ticket, conclusion);
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if !self.answered {
            self.conclude(RpcError::internal().conclusion());
        }
    }
}

impl News {
    /// Sends a notification, or a request of ours, that belongs to the request.
    pub(crate) fn send(&self, message: String) {
        self.outbox.notify(self.ticket, message);
    }

    pub(crate) fn extend(&self, deadline: Instant) {
        self.outbox.extend(self.ticket, deadline);
    }
}
