//! Stands between the connection and async-imap, and lets through only whole responses that its grammar takes.
//!
//! async-imap ends a session at the first response that it cannot read, keeps up to 512 MiB of one, drops what a server
//! says with its refusals, and has no room for answers that its grammar does not know (ESEARCH, THREAD). Here a response
//! is bounded; what cannot be read is put aside for whoever knows better; and the last status is kept as it was said.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::task::coop::poll_proceed;

use crate::frame::{self, Framer};
use crate::transport::Transport;

/// How much is read at a time.
const READ: usize = 16 * 1024;

/// How many bytes may be put aside during one command, in memory.
const ASIDE_MAX: usize = frame::RESPONSE_MAX;

/// A connection of which only readable responses are seen.
pub(crate) struct Sieve<T = Transport> {
    inner: BufWriter<T>,
    raw: BytesMut,
    framer: Framer,
    /// Responses that are let through; one at a time, so that none is read ahead of its time.
    ready: VecDeque<Bytes>,
    aside: Vec<Bytes>,
    aside_bytes: usize,
    /// The last status line as the server wrote it, tagged or not.
    status: Bytes,
    /// The last line of capabilities.
    capabilities: Option<Bytes>,
    /// What comes behind the next answer to a command may be no line.
    waits: bool,
}

impl<T: AsyncWrite> Sieve<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner: BufWriter::new(inner),
            raw: BytesMut::new(),
            framer: Framer::default(),
            ready: VecDeque::new(),
            aside: Vec::new(),
            aside_bytes: 0,
            status: Bytes::new(),
            capabilities: None,
            waits: false,
        }
    }
}

impl Sieve {
    /// The connection itself; `None` where something was said on it that nobody has read: on the way to TLS that is
    /// somebody else speaking in the server's name.
    pub(crate) fn into_transport(self) -> Option<Transport> {
        (self.raw.is_empty() && self.ready.is_empty()).then(|| self.inner.into_inner())
    }

    /// Looks at nothing that comes behind the next answer to a command, until it is known in which way it is written.
    pub(crate) fn wait_at_answer(&mut self) {
        self.waits = true;
    }

    /// It is written as before.
    pub(crate) fn go_on(&mut self) {
        self.waits = false;
    }

    /// It is compressed, and so is what goes there.
    pub(crate) fn go_on_compressed(&mut self) {
        self.waits = false;
        let ahead = self.raw.split().freeze();
        self.inner.get_mut().compress(&ahead);
    }
}

impl<T> Sieve<T> {
    /// The responses that could not be read since the last time.
    pub(crate) fn take_aside(&mut self) -> Vec<Bytes> {
        self.aside_bytes = 0;
        std::mem::take(&mut self.aside)
    }

    /// What the server said with its last status: its code, if it gave one, and its words.
    pub(crate) fn said(&self) -> (Option<String>, String) {
        let line = String::from_utf8_lossy(&self.status);
        let text = line.trim().splitn(3, ' ').nth(2).unwrap_or_default();
        let coded = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match coded {
            Some((code, text)) => (code.split(' ').next().map(str::to_owned), text.trim().to_owned()),
            None => (None, text.to_owned()),
        }
    }

    /// The capabilities that were listed last.
    pub(crate) fn take_capabilities(&mut self) -> Option<Bytes> {
        self.capabilities.take()
    }

    /// Sorts every whole response in `raw`.
    fn sort(&mut self) -> io::Result<()> {
        loop {
            let end = self.framer.end(&self.raw).map_err(|frame::TooLong| {
                io::Error::new(io::ErrorKind::InvalidData, "a response is longer than any should be")
            })?;
            let Some(end) = end else { return Ok(()) };
            let response = self.raw.split_to(end).freeze();
            self.take(&response)?;
            if self.waits && !response.starts_with(b"*") && !response.starts_with(b"+") {
                return Ok(());
            }
        }
    }

    fn take(&mut self, response: &Bytes) -> io::Result<()> {
        let is_data = response.starts_with(b"* ");
        if response.get(2..12).is_some_and(|word| is_data && word.eq_ignore_ascii_case(b"CAPABILITY")) {
            self.capabilities = Some(response.clone());
        }
        if !is_data && !response.starts_with(b"+") || response.starts_with(b"* BYE") {
            self.status = response.clone();
        }
        if frame::is_readable(response) {
            self.ready.push_back(response.clone());
        } else if let Some(repaired) = frame::repaired(response) {
            self.ready.push_back(Bytes::from(repaired));
        } else {
            // The shortest lines take more in the list than they have.
            self.aside_bytes += response.len() + size_of::<Bytes>();
            if self.aside_bytes > ASIDE_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "too much that cannot be read"));
            }
            self.aside.push(response.clone());
        }
        Ok(())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Sieve<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Thousands of responses come in one piece, and a task that is never told to wait sees no deadline pass.
        let turn = ready!(poll_proceed(context));
        loop {
            if this.ready.is_empty() {
                this.sort()?;
            }
            if !this.ready.is_empty() {
                break;
            }
            this.raw.reserve(READ);
            let read = {
                let mut piece = [std::mem::MaybeUninit::uninit(); READ];
                let mut piece = ReadBuf::uninit(&mut piece);
                ready!(Pin::new(&mut this.inner).poll_read(context, &mut piece))?;
                this.raw.extend_from_slice(piece.filled());
                piece.filled().len()
            };
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        turn.made_progress();
        if let Some(response) = this.ready.front_mut() {
            let length = response.len().min(out.remaining());
            out.put_slice(&response.split_to(length));
            if response.is_empty() {
                this.ready.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Sieve<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

/// Not what was said on it.
impl<T> fmt::Debug for Sieve<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sieve").finish_non_exhaustive()
    }
}
