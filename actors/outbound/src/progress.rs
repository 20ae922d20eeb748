//! How far a request has come, seen from outside: what a deadline that passes has to know.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::Sent;

/// Where it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Lookup,
    Connecting,
    Encrypting,
    Sending,
    Answering,
}

const PHASES: [Phase; 6] =
    [Phase::Waiting, Phase::Lookup, Phase::Connecting, Phase::Encrypting, Phase::Sending, Phase::Answering];

/// Shared between a request and the connection that carries it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    phase: AtomicU8,
    /// 0 no, 1 maybe, 2 yes; it only grows, over redirects too.
    sent: AtomicU8,
}

impl Progress {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        PHASES[usize::from(self.phase.load(Ordering::Relaxed)).min(PHASES.len() - 1)]
    }

    /// The first byte of the request is on its way.
    pub(crate) fn may_be_sent(&self) {
        self.sent.fetch_max(1, Ordering::Relaxed);
    }

    /// The server answered.
    pub(crate) fn is_sent(&self) {
        self.sent.fetch_max(2, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) -> Sent {
        match self.sent.load(Ordering::Relaxed) {
            0 => Sent::No,
            1 => Sent::Maybe,
            _ => Sent::Yes,
        }
    }
}
