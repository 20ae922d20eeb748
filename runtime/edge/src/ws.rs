//! WebSocket, by axum: one JSON-RPC message per frame, text or binary.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::time::Sleep;
use tungstenite::Error as Broken;
use tungstenite::error::ProtocolError;

use crate::session::{Received, Wire};

/// tungstenite fills its read buffer with zeroes before every read: at its default of 128 KiB that doubles the
/// CPU per message and costs 135 KiB an idle connection. 1 KiB holds the usual request; a longer one is read in two.
pub(crate) const READ_BUFFER: usize = 1024;

/// Answers gathered before they are written even without a flush.
pub(crate) const WRITE_BUFFER: usize = 64 * 1024;

/// How long a socket stays open behind our last word. Closed at once, with the peer's bytes unread, it would be
/// reset, and a reset may overtake the word that says why.
const PARTING: Duration = Duration::from_secs(1);

pub(crate) struct WsWire {
    socket: WebSocket,
    frame_bytes: usize,
    /// We have told the peer to go.
    parting: Option<Pin<Box<Sleep>>>,
}

impl WsWire {
    pub(crate) fn new(socket: WebSocket, frame_bytes: usize) -> Self {
        Self { socket, frame_bytes, parting: None }
    }

    /// What to say to a peer that broke the rules; `None` when it is gone.
    fn refusal(&self, error: axum::Error) -> Option<CloseFrame> {
        let (code, reason) = match *error.into_inner().downcast::<Broken>().ok()? {
            Broken::Capacity(_) => {
                let limit = self.frame_bytes;
                (close_code::SIZE, format!("Message longer than {limit} bytes (limits.frame_bytes)."))
            }
            Broken::Utf8(_) => (close_code::INVALID, "Text that is not UTF-8.".to_owned()),
            Broken::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
            Broken::Protocol(why) => (close_code::PROTOCOL, why.to_string()),
            _ => return None,
        };
        Some(CloseFrame { code, reason: reason.into() })
    }

    fn part(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        if ready!(self.poll_flush(context)).is_ok()
            && let Some(parting) = &mut self.parting
        {
            ready!(parting.as_mut().poll(context));
        }
        Poll::Ready(Received::Gone)
    }

    fn push(&mut self, message: Message) {
        // A refusal means that the peer is gone, which the next receive finds.
        let _ = Pin::new(&mut self.socket).start_send(message);
    }
}

impl Wire for WsWire {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        if self.parting.is_some() {
            return self.part(context);
        }
        let received = match ready!(Pin::new(&mut self.socket).poll_next(context)) {
            Some(Ok(Message::Text(text))) => Received::Message(Bytes::from(text)),
            Some(Ok(Message::Binary(bytes))) => Received::Message(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Alive,
            Some(Ok(Message::Close(_))) | None => Received::Gone,
            Some(Err(error)) => {
                let Some(refusal) = self.refusal(error) else { return Poll::Ready(Received::Gone) };
                self.push(Message::Close(Some(refusal)));
                self.parting = Some(Box::pin(tokio::time::sleep(PARTING)));
                return self.part(context);
            }
        };
        Poll::Ready(received)
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Pin::new(&mut self.socket).poll_ready(context).map_err(drop)
    }

    fn send(&mut self, message: String) {
        self.push(Message::Text(message.into()));
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(drop)
    }

    fn ping(&mut self) -> bool {
        self.push(Message::Ping(Bytes::new()));
        true
    }

    fn farewell(&mut self, why: &'static str) {
        self.push(Message::Close(Some(CloseFrame { code: close_code::AWAY, reason: why.into() })));
    }
}
