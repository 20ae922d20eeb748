//! How many values a PDF consists of, counted before its reader makes something of each: two bytes of `0 0 0 0` become
//! a hundred in memory.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::Skipped;
use crate::extract::Limits;

/// The most values. A book of 2000 pages has half a million; the reader takes about 150 bytes for each.
const VALUES_MAX: usize = 3_000_000;

/// The most that the streams which hold values unpack to, together, in bytes.
pub(super) const UNPACKED_MAX: usize = 32 * 1024 * 1024;

/// How far before `stream` the dictionary begins that says what is in it, in bytes: writers keep it short.
const DICTIONARY_BYTES: usize = 1024;

/// Refuses a file that has more than a person would write.
pub(super) fn check(bytes: &[u8], limits: &Limits<'_>) -> Result<(), Skipped> {
    let (mut values, mut left, mut at) = (0, UNPACKED_MAX, 0);
    while at < bytes.len() {
        limits.go_on()?;
        let begin = find(bytes, at, b"stream").unwrap_or(bytes.len());
        values += count(&bytes[at..begin]);
        if values > VALUES_MAX {
            return Err(too_many());
        }
        let content = (begin + b"stream".len()).min(bytes.len());
        let end = find(bytes, content, b"endstream").unwrap_or(bytes.len());
        let dictionary = &bytes[begin.saturating_sub(DICTIONARY_BYTES).max(at)..begin];
        let dictionary = find_last(dictionary, b"<<").map_or(dictionary, |from| &dictionary[from..]);
        if find(dictionary, 0, b"/ObjStm").is_some() {
            values += unpacked(&bytes[content..end], &mut left)?;
        }
        at = (end + b"endstream".len()).min(bytes.len());
    }
    if values > VALUES_MAX {
        return Err(too_many());
    }
    Ok(())
}

fn too_many() -> Skipped {
    Skipped::Damaged(format!("more than {VALUES_MAX} values in it"))
}

/// Counts the values in a packed stream, a piece at a time. What is not packed by deflate is counted as it is.
fn unpacked(stream: &[u8], left: &mut usize) -> Result<usize, Skipped> {
    let stream = stream.strip_prefix(b"\r").unwrap_or(stream);
    let stream = stream.strip_prefix(b"\n").unwrap_or(stream);
    let mut decoder = ZlibDecoder::new(stream);
    let mut piece = vec![0; 64 * 1024];
    let mut values = 0;
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(values),
            Ok(read) => {
                *left = left.checked_sub(read).ok_or(Skipped::Bomb(UNPACKED_MAX))?;
                values += count(&piece[..read]);
            }
            Err(_) => return Ok(values + count(stream)),
        }
    }
}

/// Words, and brackets that open: each is about one value.
fn count(bytes: &[u8]) -> usize {
    let mut before = b' ';
    let mut values = 0;
    for byte in bytes {
        let begins = matches!(byte, b'[' | b'<' | b'(' | b'/');
        let ends = before.is_ascii_whitespace() || matches!(before, b']' | b'>' | b')' | b'[' | b'<' | b'(');
        values += usize::from(
            begins || (ends && !byte.is_ascii_whitespace() && !matches!(byte, b']' | b'>' | b')')),
        );
        before = *byte;
    }
    values
}

fn find(bytes: &[u8], from: usize, sign: &[u8]) -> Option<usize> {
    memchr::memmem::find(&bytes[from..], sign).map(|at| from + at)
}

fn find_last(bytes: &[u8], sign: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(bytes, sign)
}
