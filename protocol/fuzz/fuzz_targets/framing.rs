//! However a stream of bytes is cut into pieces, the same messages come out, and they are those between delimiters.
#![no_main]

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use protocol::frame::{Frames, Framing};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    newline: bool,
    limit: u8,
    cuts: Vec<u8>,
    stream: &'a [u8],
}

/// What comes out when the stream arrives in `pieces`; a message over the limit is `None`.
fn cut<'a>(framing: Framing, limit: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let (mut frames, mut buffer, mut out) = (Frames::new(framing, limit), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(message) = frames.next(&mut buffer) {
            out.push(message.ok().map(|message| message.to_vec()));
        }
        assert!(buffer.len() <= limit + 1, "{} bytes are kept", buffer.len());
    }
    out
}

/// The same, the simplest way.
fn expected(framing: Framing, limit: usize, stream: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut parts: Vec<_> = stream.split(|byte| *byte == framing.delimiter()).collect();
    let rest = parts.pop().unwrap_or_default();
    let end = |part: &'_ [u8]| match part.strip_suffix(b"\r") {
        Some(part) if framing == Framing::Newline => part.to_vec(),
        _ => part.to_vec(),
    };
    let within = |part: Vec<u8>| (part.len() <= limit).then_some(part);
    let whole = parts.into_iter().map(end).filter(|part| !part.is_empty());
    let mut out: Vec<_> = whole.map(within).collect();
    if end(rest).len() > limit {
        out.push(None);
    }
    out
}

fuzz_target!(|input: Input<'_>| {
    let framing = if input.newline { Framing::Newline } else { Framing::Nul };
    let (limit, stream) = (usize::from(input.limit), input.stream);
    let mut rest = stream;
    let sizes = input.cuts.iter().map(|size| usize::from(*size)).chain(std::iter::repeat(usize::MAX));
    let pieces = sizes.map_while(|size| {
        let piece;
        (!rest.is_empty()).then_some(())?;
        (piece, rest) = rest.split_at(size.min(rest.len()));
        Some(piece)
    });
    let expected = expected(framing, limit, stream);
    assert_eq!(cut(framing, limit, pieces), expected, "in pieces");
    assert_eq!(cut(framing, limit, std::iter::once(stream)), expected, "as a whole");
    assert_eq!(cut(framing, limit, stream.chunks(1)), expected, "byte by byte");
});
