//! Cuts a byte stream into messages, without doing any I/O.
//!
//! Two framings have a delimiter: NUL (the UNIX sockets of the original) and newline (stdio). WebSocket and HTTP
//! deliver one message per frame and need only the size limit, which they enforce themselves.

use bytes::{Buf, Bytes, BytesMut};

/// How messages are told apart on a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One NUL byte after each message.
    Nul,
    /// One line feed after each message; a carriage return before it is dropped.
    Newline,
}

impl Framing {
    /// The byte that ends a message.
    pub const fn delimiter(self) -> u8 {
        match self {
            Self::Nul => 0,
            Self::Newline => b'\n',
        }
    }

    /// Which framing a stream has, told from its beginning: lines, if its first line is JSON as it stands (a client
    /// that ends messages with NUL may have line feeds inside them); `None` when more bytes are needed.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let text = beginning.trim_ascii_start();
        match memchr::memchr2(0, b'\n', text) {
            Some(end) if text[end] == b'\n' => {
                let whole = serde_json::from_slice::<serde::de::IgnoredAny>(&text[..end]).is_ok();
                Some(if whole { Self::Newline } else { Self::Nul })
            }
            Some(_) => Some(Self::Nul),
            // A first line of the protocols that have lines is short; looking at more again and again is not.
            None if beginning.len() > FIRST_LINE_MAX => Some(Self::Nul),
            None => None,
        }
    }
}

/// The longest first line by which lines are recognised.
const FIRST_LINE_MAX: usize = 64 * 1024;

/// A message was longer than the limit; what has arrived of it is gone, what still comes will be skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message longer than {limit} bytes")]
pub struct TooLong {
    /// The limit, in bytes, delimiter not counted.
    pub limit: usize,
}

/// Takes complete messages out of a growing buffer.
///
/// Remembers how far it has looked, so that a message arriving in many small pieces is scanned once (the
/// original rescanned from the start for every piece, which made a 12 MiB write take 4.6 s).
#[derive(Debug)]
pub struct Frames {
    framing: Framing,
    limit: usize,
    scanned: usize,
    skipping: bool,
}

impl Frames {
    /// A cutter for `framing` that refuses messages longer than `limit` bytes.
    pub const fn new(framing: Framing, limit: usize) -> Self {
        Self { framing, limit, scanned: 0, skipping: false }
    }

    /// The next whole message in `buffer`, `None` when more bytes are needed, or [`TooLong`] exactly once for
    /// each message over the limit, after which the stream goes on with the message that follows it.
    /// Empty messages (keep-alive delimiters, blank lines) are passed over.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Option<Result<Bytes, TooLong>> {
        loop {
            match memchr::memchr(self.framing.delimiter(), &buffer[self.scanned..]) {
                Some(at) => {
                    let end = self.scanned + at;
                    self.scanned = 0;
                    let mut message = buffer.split_to(end);
                    buffer.advance(1);
                    if std::mem::take(&mut self.skipping) {
                        continue;
                    }
                    message.truncate(self.length(&message));
                    if message.is_empty() {
                        continue;
                    }
                    if message.len() > self.limit {
                        return Some(Err(TooLong { limit: self.limit }));
                    }
                    return Some(Ok(message.freeze()));
                }
                None if self.skipping => {
                    buffer.clear();
                    return None;
                }
                None if self.length(buffer) > self.limit => {
                    buffer.clear();
                    self.scanned = 0;
                    self.skipping = true;
                    return Some(Err(TooLong { limit: self.limit }));
                }
                None => {
                    self.scanned = buffer.len();
                    return None;
                }
            }
        }
    }

    /// How long the message is that ends here.
    fn length(&self, message: &[u8]) -> usize {
        let ended = self.framing == Framing::Newline && message.last() == Some(&b'\r');
        message.len() - usize::from(ended)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn framing_is_told_from_the_first_message() {
        for (beginning, framing) in [
            ("{\"a\":1}\n", Some(Framing::Newline)),
            ("\n  {\"a\":1}\r\n{", Some(Framing::Newline)),
            ("{\"a\":1}\0", Some(Framing::Nul)),
            ("{\n\"a\":1}\0", Some(Framing::Nul)),
            ("nonsense\n", Some(Framing::Nul)),
            ("{\"a\":1}", None),
            ("", None),
        ] {
            assert_eq!(Framing::of(beginning.as_bytes()), framing, "{beginning:?}");
        }
        assert_eq!(Framing::of(&vec![b' '; FIRST_LINE_MAX + 1]), Some(Framing::Nul));
    }

    /// Feeds `stream` in pieces of `step` bytes and returns what came out, over-long messages as `None`.
    fn cut(framing: Framing, limit: usize, stream: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
        let mut frames = Frames::new(framing, limit);
        let mut buffer = BytesMut::new();
        let mut out = Vec::new();
        for piece in stream.chunks(step.max(1)) {
            buffer.extend_from_slice(piece);
            while let Some(message) = frames.next(&mut buffer) {
                out.push(message.ok().map(|m| m.to_vec()));
            }
        }
        out
    }

    #[track_caller]
    fn check(framing: Framing, stream: &[u8], expected: &[Option<&[u8]>]) {
        for step in [1, 2, 3, 1000] {
            let got = cut(framing, 8, stream, step);
            let got: Vec<_> = got.iter().map(|m| m.as_deref()).collect();
            assert_eq!(got, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn nul_ends_a_message() {
        check(Framing::Nul, b"{}\0[1]\0rest", &[Some(b"{}"), Some(b"[1]")]);
    }

    #[test]
    fn newline_drops_the_carriage_return_and_blank_lines() {
        check(Framing::Newline, b"a\r\n\n\r\nb\n", &[Some(b"a"), Some(b"b")]);
    }

    #[test]
    fn a_message_over_the_limit_is_reported_once_and_the_next_one_arrives() {
        check(Framing::Nul, b"0123456789abcdef\0ok\0", &[None, Some(b"ok")]);
    }

    #[test]
    fn a_message_at_the_limit_is_fine() {
        check(Framing::Nul, b"01234567\0", &[Some(b"01234567")]);
        check(Framing::Newline, b"01234567\r\n", &[Some(b"01234567")]);
        check(Framing::Newline, b"01234567\r\r\nok\n", &[None, Some(b"ok")]);
    }

    proptest! {
        #[test]
        fn messages_survive_any_cutting(
            messages in prop::collection::vec(prop::collection::vec(1u8.., 1..40), 0..8),
            step in 1usize..64,
        ) {
            let mut stream = Vec::new();
            for message in &messages {
                stream.extend_from_slice(message);
                stream.push(0);
            }
            let got: Vec<_> = cut(Framing::Nul, 64, &stream, step).into_iter().flatten().collect();
            prop_assert_eq!(got, messages);
        }
    }
}
