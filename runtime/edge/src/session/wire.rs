//! What the pump needs of a transport: whole messages in, whole messages out.

use std::task::{Context, Poll};

use bytes::Bytes;

/// What came in.
#[derive(Debug)]
pub(crate) enum Received {
    /// A message.
    Message(Bytes),
    /// A message over the limit, in bytes; it is gone, and the stream goes on behind it.
    TooLong(usize),
    /// A sign of life that is not a message: a pong.
    Alive,
    /// The peer is gone, or broke the transport's rules.
    Gone,
}

/// One connection of one transport. Errors of sending are not told: the peer is gone then, and `receive` says so.
pub(crate) trait Wire: Send + Unpin + 'static {
    /// The next message.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received>;

    /// Whether a message can be taken for sending; `Err` when the peer is gone.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>>;

    /// Takes a message for sending; only after `poll_ready`.
    fn send(&mut self, message: String);

    /// Hands everything taken to the kernel.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>>;

    /// Takes a ping for sending, where the transport has one; only after `poll_ready`.
    fn ping(&mut self) -> bool {
        false
    }

    /// Takes a farewell for sending, where the transport has one; only after `poll_ready`.
    fn farewell(&mut self, _why: &'static str) {}
}
