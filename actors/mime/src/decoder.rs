//! Bytes of a part out of its transfer encoding, piece by piece: an attachment of 40 MB passes in what a socket reads.
//!
//! RFC 2045 6.7 and 6.8. What an encoding cannot have is passed over and remembered, as every mail program does.

use std::borrow::Cow;

use crate::Part;
use crate::part::Encoding;

/// Blanks before the end of a line of quoted-printable, of which there are 76 at most; what has more is text.
const BLANKS_MAX: usize = 1024;

/// A line of uuencode has at most 45 bytes, in 61 letters.
const UU_LINE_MAX: usize = 256;

/// Decodes a part that arrives in pieces. Keeps a line at most.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    broken: bool,
}

#[derive(Debug)]
enum State {
    Identity,
    Base64 { bits: u32, letters: u8, ended: bool },
    Quoted { held: Vec<u8> },
    Uu { line: Vec<u8>, begun: bool, ended: bool },
}

impl Decoder {
    /// For a part in this encoding.
    pub fn new(encoding: &Encoding) -> Self {
        let state = match encoding {
            Encoding::Base64 => State::Base64 { bits: 0, letters: 0, ended: false },
            Encoding::QuotedPrintable => State::Quoted { held: Vec::new() },
            Encoding::Uuencode => State::Uu { line: Vec::new(), begun: false, ended: false },
            Encoding::Identity | Encoding::Unknown(_) => State::Identity,
        };
        Self { state, broken: matches!(encoding, Encoding::Unknown(_)) }
    }

    /// Takes the next piece, wherever it was cut, and appends what it decodes to: never more bytes than came in so far.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match &mut self.state {
            State::Identity => out.extend_from_slice(piece),
            State::Base64 { bits, letters, ended } => {
                for byte in piece {
                    self.broken |= base64(*byte, bits, letters, ended, out);
                }
            }
            State::Quoted { held } => {
                for byte in piece {
                    self.broken |= quoted(*byte, held, out);
                }
            }
            State::Uu { line, begun, ended } => {
                for byte in piece {
                    if *byte == b'\n' {
                        self.broken |= uu(line, begun, ended, out);
                        line.clear();
                    } else if line.len() < UU_LINE_MAX {
                        line.push(*byte);
                    }
                }
            }
        }
    }

    /// Appends what was held back for an end that did not come. Returns whether everything was encoded as it should.
    #[must_use]
    pub fn finish(mut self, out: &mut Vec<u8>) -> bool {
        match &mut self.state {
            State::Identity => {}
            State::Base64 { bits, letters, .. } => self.broken |= !flush(bits, letters, out),
            State::Quoted { held } => {
                // At the end blanks and soft breaks mean nothing; half an escape is text.
                if held.get(1).is_some_and(u8::is_ascii_hexdigit) && held[0] == b'=' {
                    self.broken = true;
                    out.append(held);
                }
            }
            State::Uu { line, begun, ended } => {
                self.broken |= uu(line, begun, ended, out);
                self.broken |= !*ended;
            }
        }
        !self.broken
    }
}

/// The bytes of a part that is there as a whole, and whether it was encoded as it should.
pub fn decode_part<'a>(part: &Part, raw: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
    if part.encoding == Encoding::Identity {
        return (Cow::Borrowed(raw), true);
    }
    let (mut decoder, mut out) = (Decoder::new(&part.encoding), Vec::with_capacity(raw.len() / 4 * 3));
    decoder.push(raw, &mut out);
    let whole = decoder.finish(&mut out);
    (Cow::Owned(out), whole)
}

/// Takes one letter; true if it is none.
fn base64(byte: u8, bits: &mut u32, letters: &mut u8, ended: &mut bool, out: &mut Vec<u8>) -> bool {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        // Some senders encode in pieces and pad each: what follows the padding begins anew.
        b'=' => {
            let fine = *ended || *letters >= 2;
            *ended = true;
            return !(flush(bits, letters, out) && fine);
        }
        b'\r' | b'\n' | b' ' | b'\t' => return false,
        _ => return true,
    };
    *ended = false;
    *bits = *bits << 6 | u32::from(value);
    *letters += 1;
    if *letters == 4 {
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
        (*bits, *letters) = (0, 0);
    }
    false
}

/// The bytes of a group that is not full; false if it cannot be one.
fn flush(bits: &mut u32, letters: &mut u8, out: &mut Vec<u8>) -> bool {
    let (group, count) = (std::mem::take(bits), std::mem::take(letters));
    let bytes = (group << (6 * (4 - u32::from(count)))).to_be_bytes();
    let whole = usize::from(count) * 6 / 8;
    out.extend_from_slice(&bytes[1..=whole]);
    count != 1
}

/// Takes one byte. `held` has what cannot be decided yet: blanks before the end of a line, or `=` and what follows it.
/// True if it is no quoted-printable.
fn quoted(byte: u8, held: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    if held.first() == Some(&b'=') {
        return escaped(byte, held, out);
    }
    match byte {
        b' ' | b'\t' | b'\r' if held.len() < BLANKS_MAX => held.push(byte),
        b'\n' => {
            // Blanks at the end of a line were added on the way (RFC 2045 6.7, rule 3).
            if held.ends_with(b"\r") {
                out.push(b'\r');
            }
            held.clear();
            out.push(b'\n');
        }
        _ => {
            out.append(held);
            if byte == b'=' { held.push(byte) } else { out.push(byte) }
        }
    }
    false
}

/// Takes one byte after `=`.
fn escaped(byte: u8, held: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    let hex = |byte: u8| (byte as char).to_digit(16);
    match (held.len(), byte) {
        (_, b'\n') if held[1..].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) => held.clear(),
        (1, _) if hex(byte).is_some() => held.push(byte),
        (2, _) if hex(held[1]).is_some() && hex(byte).is_some() => {
            let pair = (hex(held[1]), hex(byte));
            held.clear();
            out.extend(pair.0.zip(pair.1).and_then(|(high, low)| u8::try_from(high << 4 | low).ok()));
        }
        (1.., b' ' | b'\t' | b'\r') if hex(held[held.len() - 1]).is_none() && held.len() < BLANKS_MAX => {
            held.push(byte);
        }
        _ => {
            out.append(held);
            quoted(byte, held, out);
            return true;
        }
    }
    false
}

/// Takes one line; true if it is none.
fn uu(line: &[u8], begun: &mut bool, ended: &mut bool, out: &mut Vec<u8>) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !*begun {
        *begun = line.starts_with(b"begin ");
        return !*begun && !line.is_empty();
    }
    if *ended || line.is_empty() {
        return false;
    }
    if line == b"end" {
        *ended = true;
        return false;
    }
    let value = |byte: u8| byte.wrapping_sub(b' ') & 63;
    let length = usize::from(value(line[0]));
    let bytes = line[1..].chunks(4).flat_map(|group| {
        let letter = |at: usize| u32::from(value(group.get(at).copied().unwrap_or(b' ')));
        let bits = letter(0) << 18 | letter(1) << 12 | letter(2) << 6 | letter(3);
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes
    });
    let before = out.len();
    out.extend(bytes.take(length));
    out.len() - before < length
}
