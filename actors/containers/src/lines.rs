//! What a container prints, in lines: out of pieces that end anywhere, and within bounds.

use bollard::container::LogOutput;

/// A longer line is cut; nobody reads it.
const LINE_MAX: usize = 16 * 1024;

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it was printed. The lines of one are in order; between the two, about.
    pub stream: Stream,
    /// What it says; what is no UTF-8 is replaced.
    pub text: String,
    /// Whether it was longer.
    pub cut: bool,
}

/// Puts lines together.
pub(crate) struct Lines {
    out: Partial,
    err: Partial,
    left: usize,
    lost: bool,
}

#[derive(Default)]
struct Partial {
    bytes: Vec<u8>,
    cut: bool,
    begun: bool,
    /// Bytes that came.
    seen: usize,
    /// Bytes that come once more.
    skip: usize,
}

impl Lines {
    /// For at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { out: Partial::default(), err: Partial::default(), left: bytes_max, lost: false }
    }

    /// Whether there was more than is wanted.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost
    }

    /// What comes now begins where all that came began.
    pub(crate) fn skip_seen(&mut self) {
        for partial in [&mut self.out, &mut self.err] {
            partial.skip = partial.seen;
        }
    }

    /// The lines that `piece` ends.
    pub(crate) fn add(&mut self, piece: &LogOutput) -> Vec<Line> {
        let (stream, bytes) = match piece {
            LogOutput::StdErr { message } => (Stream::Err, message),
            LogOutput::StdOut { message } | LogOutput::Console { message } | LogOutput::StdIn { message } => {
                (Stream::Out, message)
            }
        };
        let bytes = self.partial(stream).news(bytes);
        // What is cut off is a line that is begun, and said to be cut.
        let whole = bytes.len() <= self.left;
        self.lost |= !whole;
        let bytes = &bytes[..bytes.len().min(self.left)];
        self.left -= bytes.len();
        let partial = self.partial(stream);
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            partial.extend(piece.strip_suffix(b"\n").unwrap_or(piece));
            if piece.ends_with(b"\n") {
                lines.extend(partial.take(stream));
            }
        }
        if !whole {
            partial.cut |= partial.begun;
        }
        lines
    }

    /// What has no end of a line.
    pub(crate) fn rest(&mut self) -> Vec<Line> {
        let streams = [Stream::Out, Stream::Err];
        streams.into_iter().filter_map(|stream| self.partial(stream).take(stream)).collect()
    }

    fn partial(&mut self, stream: Stream) -> &mut Partial {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

impl Partial {
    /// What of `bytes` did not come before.
    fn news<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let known = bytes.len().min(self.skip);
        self.skip -= known;
        let bytes = &bytes[known..];
        self.seen += bytes.len();
        bytes
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = LINE_MAX - self.bytes.len();
        self.cut |= bytes.len() > room;
        self.begun = true;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take(&mut self, stream: Stream) -> Option<Line> {
        let next = Self { seen: self.seen, skip: self.skip, ..Self::default() };
        let own = std::mem::replace(self, next);
        let bytes = own.bytes.strip_suffix(b"\r").unwrap_or(&own.bytes);
        own.begun.then(|| Line { stream, text: String::from_utf8_lossy(bytes).into_owned(), cut: own.cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(max: usize, pieces: &[(Stream, &str)]) -> Vec<(Stream, String, bool)> {
        let mut lines = Lines::new(max);
        let mut all = Vec::new();
        for (stream, text) in pieces {
            let message = text.as_bytes().to_vec().into();
            all.extend(lines.add(&match stream {
                Stream::Out => LogOutput::StdOut { message },
                Stream::Err => LogOutput::StdErr { message },
            }));
        }
        all.extend(lines.rest());
        all.into_iter().map(|line| (line.stream, line.text, line.cut)).collect()
    }

    fn line(stream: Stream, text: &str) -> (Stream, String, bool) {
        (stream, text.to_owned(), false)
    }

    #[test]
    fn out_of_pieces() {
        use Stream::{Err, Out};
        assert_eq!(lines(99, &[(Out, "a\nb\n")]), [line(Out, "a"), line(Out, "b")]);
        assert_eq!(
            lines(99, &[(Out, "a"), (Err, "x"), (Out, "b\r\n"), (Err, "y")]),
            [line(Out, "ab"), line(Err, "xy")]
        );
        assert_eq!(lines(99, &[(Out, "\n\n")]), [line(Out, ""), line(Out, "")]);
        assert_eq!(lines(99, &[]), []);
    }

    #[test]
    fn what_came_before_is_not_told_again() {
        let piece = |stream, text: &str| {
            let message = text.as_bytes().to_vec().into();
            if stream == Stream::Out { LogOutput::StdOut { message } } else { LogOutput::StdErr { message } }
        };
        let mut lines = Lines::new(99);
        let told = |lines: &mut Lines, stream, text| {
            lines.add(&piece(stream, text)).into_iter().map(|line| line.text).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut lines, Stream::Out, "a\nb"), ["a"]);
        assert_eq!(told(&mut lines, Stream::Err, "x\n"), ["x"]);
        lines.skip_seen();
        assert_eq!(told(&mut lines, Stream::Out, "a\n"), [""; 0]);
        assert_eq!(told(&mut lines, Stream::Out, "bc\nd"), ["bc"], "what was begun goes on");
        assert_eq!(told(&mut lines, Stream::Err, "x\ny\n"), ["y"]);
        assert_eq!(lines.rest().into_iter().map(|line| line.text).collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn within_bounds() {
        use Stream::Out;
        assert_eq!(lines(4, &[(Out, "ab\ncd\n")]), [line(Out, "ab"), (Out, "c".to_owned(), true)]);
        assert_eq!(lines(3, &[(Out, "ab\ncd\n")]), [line(Out, "ab")]);
        let long = "x".repeat(LINE_MAX + 1);
        let found = lines(1 << 20, &[(Out, &long), (Out, "y\nz\n")]);
        assert_eq!((found[0].1.len(), found[0].2), (LINE_MAX, true));
        assert_eq!(found[1], line(Out, "z"));
    }
}
