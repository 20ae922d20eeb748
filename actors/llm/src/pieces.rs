//! A streamed answer in pieces: the data of its events, or its lines, each within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use sseer::errors::EventStreamError;
use sseer::event_stream::EventStream;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use crate::failure::{Failure, Kind};
use crate::wire::Framing;

/// Bytes of one piece. The longest that providers send are whole calls of tools.
const PIECE_MAX: usize = 4 * 1024 * 1024;

/// The pieces of a body.
pub(crate) enum Pieces<S> {
    /// Server-sent events.
    Events { events: Box<EventStream<Guard<S>>>, pending: Arc<AtomicUsize> },
    /// Lines.
    Lines(Box<FramedRead<StreamReader<Told<S>, Bytes>, LinesCodec>>),
}

impl<S: Stream<Item = Result<Bytes, Failure>> + Unpin> Pieces<S> {
    pub(crate) fn new(framing: Framing, bytes: S) -> Self {
        match framing {
            Framing::Events => {
                let pending = Arc::new(AtomicUsize::new(0));
                let guard = Guard { bytes, pending: Arc::clone(&pending), over: false };
                Self::Events { events: Box::new(EventStream::new(guard)), pending }
            }
            Framing::Lines => {
                let codec = LinesCodec::new_with_max_length(PIECE_MAX);
                Self::Lines(Box::new(FramedRead::new(StreamReader::new(Told(bytes)), codec)))
            }
        }
    }

    /// The next piece; none at the end of the body.
    pub(crate) async fn next(&mut self) -> Option<Result<String, Failure>> {
        match self {
            Self::Events { events, pending } => loop {
                let event = match events.next().await? {
                    Ok(event) => event,
                    Err(EventStreamError::Transport(failure)) => return Some(Err(failure)),
                    Err(EventStreamError::Utf8Error(_)) => return Some(Err(not_text())),
                };
                pending.store(0, Ordering::Relaxed);
                if !event.data.is_empty() {
                    return Some(Ok(event.data.to_string()));
                }
            },
            Self::Lines(lines) => loop {
                match lines.next().await? {
                    Ok(line) if line.trim().is_empty() => {}
                    Ok(line) => return Some(Ok(line)),
                    Err(LinesCodecError::MaxLineLengthExceeded) => return Some(Err(too_long())),
                    Err(LinesCodecError::Io(error)) => {
                        let told = error.get_ref().and_then(|inner| inner.downcast_ref::<Carried>());
                        return Some(Err(told.map_or_else(not_text, |carried| carried.0.clone())));
                    }
                }
            },
        }
    }
}

fn too_long() -> Failure {
    Failure::new(Kind::Broken, format!("its provider sent a piece of more than {PIECE_MAX} bytes"))
}

fn not_text() -> Failure {
    Failure::new(Kind::Broken, "its provider sent what is not UTF-8")
}

/// Bytes that end with a failure when too many come without an event among them.
pub(crate) struct Guard<S> {
    bytes: S,
    pending: Arc<AtomicUsize>,
    over: bool,
}

impl<S: Stream<Item = Result<Bytes, Failure>> + Unpin> Stream for Guard<S> {
    type Item = Result<Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(self.bytes.poll_next_unpin(context));
        if let Some(Ok(part)) = &next
            && self.pending.fetch_add(part.len(), Ordering::Relaxed) > PIECE_MAX
        {
            self.over = true;
            return Poll::Ready(Some(Err(too_long())));
        }
        Poll::Ready(next)
    }
}

/// Bytes whose failures travel through an I/O error.
pub(crate) struct Told<S>(S);

#[derive(Debug, thiserror::Error)]
#[error("the upstream failed")]
struct Carried(Failure);

impl<S: Stream<Item = Result<Bytes, Failure>> + Unpin> Stream for Told<S> {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.0.poll_next_unpin(context));
        Poll::Ready(next.map(|part| part.map_err(|failure| std::io::Error::other(Carried(failure)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(framing: Framing, parts: &[&[u8]]) -> Vec<Result<String, Kind>> {
        let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let mut pieces = Pieces::new(framing, futures_util::stream::iter(parts));
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            let failed = piece.is_err();
            all.push(piece.map_err(|failure| failure.kind));
            if failed {
                break;
            }
        }
        all
    }

    fn texts(texts: &[&str]) -> Vec<Result<String, Kind>> {
        texts.iter().map(|text| Ok((*text).to_owned())).collect()
    }

    #[tokio::test]
    async fn events_are_found_however_their_bytes_are_split() {
        let whole = ": ping\r\n\r\ndata: {\"a\":\r\ndata: \"\u{e9}\u{1f980}\"}\r\n\r\nevent: x\ndata: 2\n\ndata: [DONE]\n\n";
        let expected = texts(&["{\"a\":\n\"\u{e9}\u{1f980}\"}", "2", "[DONE]"]);
        for at in 0..whole.len() {
            let (one, other) = whole.as_bytes().split_at(at);
            assert_eq!(all(Framing::Events, &[one, other]).await, expected, "split at {at}");
        }
        let each: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
        assert_eq!(all(Framing::Events, &each).await, expected);
    }

    #[tokio::test]
    async fn lines_are_found_however_their_bytes_are_split() {
        let whole = "{\"a\":\"\u{e9}\"}\r\n\n2\n3";
        for at in 0..whole.len() {
            let (one, other) = whole.as_bytes().split_at(at);
            let found = all(Framing::Lines, &[one, other]).await;
            assert_eq!(found, texts(&["{\"a\":\"\u{e9}\"}", "2", "3"]), "split at {at}");
        }
    }

    #[tokio::test]
    async fn what_never_ends_is_ended() {
        let part = vec![b'x'; 1024 * 1024];
        for framing in [Framing::Events, Framing::Lines] {
            let parts: Vec<&[u8]> = std::iter::repeat_n(part.as_slice(), 6).collect();
            assert_eq!(all(framing, &parts).await, [Err(Kind::Broken)], "{framing:?}");
        }
        let lines = b"data: x\n".repeat(1024 * 128);
        let parts: Vec<&[u8]> = std::iter::repeat_n(lines.as_slice(), 6).collect();
        assert_eq!(all(Framing::Events, &parts).await, [Err(Kind::Broken)], "data without an end");
    }

    #[tokio::test]
    async fn what_is_not_text_is_said_to_be_none() {
        for framing in [Framing::Events, Framing::Lines] {
            assert_eq!(all(framing, &[b"data: \xff\xfe\n\n"]).await, [Err(Kind::Broken)], "{framing:?}");
        }
    }
}
