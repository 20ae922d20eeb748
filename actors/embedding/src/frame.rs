//! What passes between the daemon and the model's process: a length and that many bytes, JSON but for the numbers.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::child::Settings;
use crate::engine::{Facts, Role};
use crate::error::EmbedError;

/// The longest frame: some fifty thousand vectors, or all texts of the largest request escaped as JSON. What is longer
/// is no frame of ours, but something that was printed into the pipe.
const FRAME_MAX: usize = 64 * 1024 * 1024;

/// What is asked of the process. The first is always `Load`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Load(Settings),
    Embed { role: Role, texts: Vec<String> },
    Tokens { texts: Vec<String> },
}

/// What it answers; numbers follow in a frame of their own, four bytes each, little-endian.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Loaded(Facts),
    /// Vectors of this length each.
    Vectors {
        dimensions: usize,
    },
    /// So many tokens of each text.
    Tokens {
        counts: Vec<usize>,
    },
    Failed(EmbedError),
}

/// Writes one frame, without flushing.
pub(crate) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_MAX);
    let length = length.ok_or_else(|| io::Error::other("a frame of more than 64 MiB"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

/// Writes one frame of JSON, without flushing.
pub(crate) fn write_json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write(to, &serde_json::to_vec(value)?)
}

/// Reads one frame; none when the other side is gone.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
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
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(io::Error::from)
}

/// Numbers as they are sent.
pub(crate) fn bytes_of<const N: usize, T: Copy>(
    numbers: impl Iterator<Item = T>,
    to_bytes: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    numbers.flat_map(to_bytes).collect()
}

/// Numbers as they were before they were sent.
pub(crate) fn numbers_of<T>(bytes: &[u8], from_bytes: impl Fn([u8; 4]) -> T) -> Vec<T> {
    bytes.as_chunks::<4>().0.iter().map(|number| from_bytes(*number)).collect()
}
