//! What passes between the two: a length and that many bytes, which are JSON or whatever both sides know.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest frame. What is longer is no frame of ours, but something that was printed into the pipe.
pub const FRAME_MAX: usize = 64 * 1024 * 1024;

/// Writes one frame, without flushing.
///
/// # Errors
/// When the pipe breaks, or there is more of it than [`FRAME_MAX`].
pub fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_MAX);
    let length = length.ok_or_else(|| io::Error::other("a frame of more than 64 MiB"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

/// Writes one frame of JSON, without flushing.
///
/// # Errors
/// As [`write`].
pub fn write_json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write(to, &serde_json::to_vec(value)?)
}

/// Reads one frame; none when the other side is gone.
///
/// # Errors
/// When the pipe breaks in the middle of one, or what comes is none.
pub fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > FRAME_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "something else than a frame"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// Reads JSON out of a frame.
///
/// # Errors
/// When it is none, or of another shape.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(io::Error::from)
}
