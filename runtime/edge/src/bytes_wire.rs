//! Messages on a byte stream, with a delimiter after each: NUL, or a line feed for whoever begins with a line.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use protocol::frame::{Frames, Framing, TooLong};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::session::{Received, Wire};

/// What is read at once. It lives on the stack, so an idle connection costs no buffer.
const READ: usize = 16 * 1024;

/// Answers gathered before no more are taken.
const WRITE_BUFFER: usize = 64 * 1024;

/// A byte stream.
pub(crate) struct BytesWire<S> {
    stream: S,
    frames: Option<Frames>,
    framing: Framing,
    frame_bytes: usize,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> BytesWire<S> {
    pub(crate) fn new(stream: S, frame_bytes: usize) -> Self {
        let (incoming, outgoing) = (BytesMut::new(), BytesMut::new());
        Self { stream, frames: None, framing: Framing::Nul, frame_bytes, incoming, outgoing }
    }

    /// A stream that is known to have lines, whatever its first one is.
    pub(crate) fn lines(stream: S, frame_bytes: usize) -> Self {
        let frames = Some(Frames::new(Framing::Newline, frame_bytes));
        Self { frames, framing: Framing::Newline, ..Self::new(stream, frame_bytes) }
    }

    /// The next message in what has been read.
    fn next(&mut self) -> Option<Result<Bytes, TooLong>> {
        if self.frames.is_none() {
            self.framing = Framing::of(&self.incoming)?;
        }
        let (framing, limit) = (self.framing, self.frame_bytes);
        self.frames.get_or_insert_with(|| Frames::new(framing, limit)).next(&mut self.incoming)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        self.incoming.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Wire for BytesWire<S> {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        loop {
            match self.next() {
                Some(Ok(message)) => return Poll::Ready(Received::Message(message)),
                Some(Err(too_long)) => return Poll::Ready(Received::TooLong(too_long.limit)),
                None if self.incoming.is_empty() => self.incoming = BytesMut::new(),
                None => {}
            }
            match ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(Received::Gone),
                Ok(_) => {}
            }
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if self.outgoing.len() < WRITE_BUFFER { Poll::Ready(Ok(())) } else { self.poll_flush(context) }
    }

    fn send(&mut self, message: String) {
        self.outgoing.extend_from_slice(message.as_bytes());
        self.outgoing.extend_from_slice(&[self.framing.delimiter()]);
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while !self.outgoing.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.outgoing)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(())),
                Ok(written) => self.outgoing.advance(written),
            }
        }
        self.outgoing = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}
