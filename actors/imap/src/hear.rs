//! Reads what a server says out of bytes instead of a connection: for the fuzzer, which knows nothing of connections.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use async_imap::Client;
use imap_proto::Response;
use tokio::io::{AsyncRead, ReadBuf, join, sink};

use crate::lists;
use crate::reply::{Code, Reply};
use crate::sieve::Sieve;

/// What was understood, in the order in which it came.
#[doc(hidden)]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Every response that a connection is shown.
    pub replies: Vec<String>,
    /// How many were put aside, and how many numbers are in them.
    pub aside: (usize, usize),
    /// What ended it before the bytes did.
    pub failed: Option<io::ErrorKind>,
}

/// Reads all that stands in `bytes`, which come so many at a time, as a connection reads what its server says.
#[doc(hidden)]
pub fn hear(bytes: &[u8], piece: usize) -> Heard {
    let mut heard = Heard::default();
    let mut client = Client::new(Sieve::new(join(Pieces { rest: bytes, piece }, sink())));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let read = pin!(client.read_response()).poll(&mut context);
        let Poll::Ready(read) = read else { unreachable!("bytes are never waited for") };
        let end = match read {
            Ok(Some(response)) => {
                heard.replies.push(match response.parsed() {
                    Response::Done { tag, status, outcome } => {
                        format!("{tag:?} {status:?} {:?}", Code::of(outcome.code.as_ref()))
                    }
                    other => {
                        let reply = Reply::of(other);
                        format!("{} bytes: {reply:?}", reply.size())
                    }
                });
                false
            }
            Ok(None) => true,
            Err(error) => {
                heard.failed = Some(error.kind());
                true
            }
        };
        let aside = client.get_mut().take_aside();
        let threads = aside.iter().filter_map(|line| lists::threads(line)).flatten().flatten().count();
        heard.aside.0 += aside.len();
        heard.aside.1 += threads + lists::found(&aside).map_or(0, |found| found.len());
        if end {
            return heard;
        }
    }
}

/// Bytes that come so many at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (piece, rest) = self.rest.split_at(self.rest.len().min(self.piece).min(out.remaining()));
        out.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard() {
        let said =
            b"* 1 FETCH (UID 3 BODY[] {2}\r\n\xff\n)\r\n* SEARCH 1 2\r\n* NONSENSE\r\nA1 OK done\r\n* 1 EXI";
        let whole = hear(said, usize::MAX);
        assert_eq!((whole.replies.len(), whole.aside, whole.failed), (2, (2, 2), None), "{whole:?}");
        assert_eq!(hear(said, 1), whole);
        let too_long = hear(b"* 1 EXISTS\r\n* 1 FETCH (BODY[] {99999999}\r\n", 7);
        assert_eq!((too_long.replies.len(), too_long.failed), (1, Some(io::ErrorKind::InvalidData)));
    }
}
