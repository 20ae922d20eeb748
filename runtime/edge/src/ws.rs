//! WebSocket, by axum: one JSON-RPC message per frame, text or binary.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};

use crate::session::{Received, Wire};

/// tungstenite fills its read buffer with zeroes before every read: at its default of 128 KiB that doubles the
/// CPU per message and costs 135 KiB an idle connection. 4 KiB holds the usual request.
pub(crate) const READ_BUFFER: usize = 4096;

/// Answers gathered before they are written even without a flush.
pub(crate) const WRITE_BUFFER: usize = 64 * 1024;

pub(crate) struct WsWire(pub(crate) WebSocket);

impl WsWire {
    fn push(&mut self, message: Message) {
        // A refusal means that the peer is gone, which the next receive finds.
        let _ = Pin::new(&mut self.0).start_send(message);
    }
}

impl Wire for WsWire {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        let received = match ready!(Pin::new(&mut self.0).poll_next(context)) {
            Some(Ok(Message::Text(text))) => Received::Message(Bytes::from(text)),
            Some(Ok(Message::Binary(bytes))) => Received::Message(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Alive,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Received::Gone,
        };
        Poll::Ready(received)
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Pin::new(&mut self.0).poll_ready(context).map_err(drop)
    }

    fn send(&mut self, message: String) {
        self.push(Message::Text(message.into()));
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Pin::new(&mut self.0).poll_flush(context).map_err(drop)
    }

    fn ping(&mut self) -> bool {
        self.push(Message::Ping(Bytes::new()));
        true
    }

    fn farewell(&mut self, why: &'static str) {
        self.push(Message::Close(Some(CloseFrame { code: close_code::AWAY, reason: why.into() })));
    }
}
