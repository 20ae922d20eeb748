//! The inputs as a file in the container, `/run/inputs/inputs.json`, and the archive that brings it there.
//!
//! The root file system is read-only, also for the engine, which unpacks nothing into it; a tmpfs is there only while the
//! container runs. A volume without a name is there before, may be written to by the engine, and goes with the container.

use bytes::Bytes;
use serde_json::Value;

use crate::error::{Error, Kind};

/// The folder in the container.
pub(crate) const FOLDER: &str = "/run/inputs";

const NAME: &[u8] = b"inputs.json";

/// Larger ones are files, which a workflow hands over in pieces or not at all.
const INPUTS_MAX: usize = 4 * 1024 * 1024;

/// A block of an archive.
const BLOCK: usize = 512;

/// `inputs` as the file has them.
pub(crate) fn encode(inputs: &Value) -> Result<Vec<u8>, Error> {
    let bytes = inputs.to_string().into_bytes();
    if bytes.len() > INPUTS_MAX {
        let why =
            format!("The inputs have {} bytes; at most {INPUTS_MAX} are given to a container.", bytes.len());
        return Err(Error::new(Kind::Invalid, why));
    }
    Ok(bytes)
}

/// An archive (ustar) with one file in it, which is root's and readable for everybody.
pub(crate) fn archive(contents: &[u8]) -> Bytes {
    let mut head = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, NAME);
    put(100, b"0000444\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", contents.len()).as_bytes());
    put(136, b"00000000000\0");
    // The sum is made with blanks in its own place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = Vec::with_capacity(contents.len() + 4 * BLOCK);
    archive.extend_from_slice(&head);
    archive.extend_from_slice(contents);
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    Bytes::from(archive)
}
