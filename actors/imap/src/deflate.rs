//! Compression of a connection (RFC 4978): one DEFLATE stream each way, that a flush brings up to date.
//!
//! It has no bound of its own on what comes: a read gives as many bytes as were asked for, however few they were on the
//! wire, and whoever counts them counts these.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::poll_proceed;

/// How much is read at a time, and how much is written at once.
const PIECE: usize = 8 * 1024;

/// What is known of both streams.
pub(crate) struct Deflate {
    compress: Compress,
    decompress: Decompress,
    /// As it came and was not looked at.
    coming: BytesMut,
    /// As it goes and has not gone.
    going: Vec<u8>,
    /// How much of it has.
    gone: usize,
    /// Something was written that no flush has brought into `going`.
    held: bool,
}

impl Deflate {
    /// Both at their beginnings; the server's begins with what was read `ahead`.
    pub(crate) fn new(ahead: &Bytes) -> Self {
        Self {
            // Commands are short and alike: they shrink to a third at any level, and this one is the quickest.
            compress: Compress::new(Compression::fast(), false),
            decompress: Decompress::new(false),
            coming: BytesMut::from(&ahead[..]),
            going: Vec::new(),
            gone: 0,
            held: false,
        }
    }

    pub(crate) fn poll_read(
        &mut self,
        wire: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A few bytes of the wire are many of these, and a task that is never told to wait sees no deadline pass.
        let turn = ready!(poll_proceed(context));
        while out.remaining() > 0 {
            // First, because there may be more of what has come already.
            let (taken, given, ended) = self.inflate(out.initialize_unfilled())?;
            self.coming.advance(taken);
            out.advance(given);
            if given > 0 || ended {
                break;
            }
            if taken > 0 {
                continue;
            }
            let mut piece = [std::mem::MaybeUninit::uninit(); PIECE];
            let mut piece = ReadBuf::uninit(&mut piece);
            ready!(Pin::new(&mut *wire).poll_read(context, &mut piece))?;
            if piece.filled().is_empty() {
                break;
            }
            self.coming.extend_from_slice(piece.filled());
        }
        turn.made_progress();
        Poll::Ready(Ok(()))
    }

    /// How much was taken, how much was given, and whether that was the last.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<(usize, usize, bool)> {
        let (taken, given) = (self.decompress.total_in(), self.decompress.total_out());
        let status = self.decompress.decompress(&self.coming, out, FlushDecompress::None)?;
        let since = |now: u64, then: u64| usize::try_from(now - then).map_err(io::Error::other);
        let taken = since(self.decompress.total_in(), taken)?;
        let given = since(self.decompress.total_out(), given)?;
        Ok((taken, given, status == flate2::Status::StreamEnd))
    }

    pub(crate) fn poll_write(
        &mut self,
        wire: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.going.len() >= PIECE {
                ready!(self.poll_send(wire, context))?;
            }
            self.held = true;
            let taken = self.deflate(bytes, FlushCompress::None)?;
            // None is taken where earlier ones fill the room.
            if taken > 0 || bytes.is_empty() {
                return Poll::Ready(Ok(taken));
            }
        }
    }

    /// Compresses as much of `bytes` as there is room for; how much that is.
    fn deflate(&mut self, bytes: &[u8], flush: FlushCompress) -> io::Result<usize> {
        let before = self.compress.total_in();
        self.going.reserve(PIECE);
        self.compress.compress_vec(bytes, &mut self.going, flush)?;
        usize::try_from(self.compress.total_in() - before).map_err(io::Error::other)
    }

    pub(crate) fn poll_flush(
        &mut self,
        wire: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.held {
            self.deflate(&[], FlushCompress::Sync)?;
            // Where no room was left there may be more.
            self.held = self.going.len() == self.going.capacity();
        }
        ready!(self.poll_send(wire, context))?;
        Pin::new(wire).poll_flush(context)
    }

    /// Sends everything that is ready.
    fn poll_send(
        &mut self,
        wire: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.going.get(self.gone..) {
            match ready!(Pin::new(&mut *wire).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.gone += sent,
            }
        }
        self.going.clear();
        self.gone = 0;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// One end of a connection that is compressed.
    struct End(DuplexStream, Deflate);

    impl AsyncRead for End {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            out: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let Self(wire, deflate) = self.get_mut();
            deflate.poll_read(wire, context, out)
        }
    }

    impl AsyncWrite for End {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let Self(wire, deflate) = self.get_mut();
            deflate.poll_write(wire, context, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            let Self(wire, deflate) = self.get_mut();
            deflate.poll_flush(wire, context)
        }

        fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_shutdown(context)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is written and flushed is there for the other side, without a word more, and is the same; however
        /// little goes over the wire at a time, however little is read at a time, and what was read ahead included.
        #[test]
        fn what_is_flushed_comes(
            words in prop::collection::vec((any::<u8>(), any::<bool>(), 0..40_000_usize), 1..6),
            // A flush ends with a mark of a few bytes that nobody waits for: it has room.
            wire in prop_oneof![16..50_usize, Just(10_000)],
            piece in prop_oneof![1..50_usize, Just(16_384)],
            ahead in 0..10_usize,
        ) {
            // So much must come with the first word.
            let ahead = if words[0].1 && words[0].2 > 100 { ahead } else { 0 };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async move {
                let (here, there) = tokio::io::duplex(wire);
                let mut here = End(here, Deflate::new(&Bytes::new()));
                let mut there = Err(there);
                let mut state = 1_u32;
                for (byte, noise, length) in words {
                    let said: Vec<u8> = (0..length).map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        if noise { state.to_be_bytes()[0] } else { byte }
                    }).collect();
                    let say = async {
                        here.write_all(&said).await.unwrap();
                        here.flush().await.unwrap();
                    };
                    let hear = async {
                        let mut end = match there {
                            Ok(end) => end,
                            Err(mut wire) => {
                                let mut begin = vec![0; ahead];
                                wire.read_exact(&mut begin).await.unwrap();
                                End(wire, Deflate::new(&Bytes::from(begin)))
                            }
                        };
                        let mut heard = vec![0; length];
                        for piece in heard.chunks_mut(piece) {
                            end.read_exact(piece).await.unwrap();
                        }
                        (end, heard)
                    };
                    let ((), (end, heard)) = tokio::join!(say, hear);
                    assert!(heard == said);
                    there = Ok(end);
                }
            });
        }
    }
}
