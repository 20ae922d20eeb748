//! `mcp.fs.hash`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::etag;
use crate::fault::Fault;
use crate::files::Regular;
use crate::path::ClientPath;
use crate::service::Fs;

/// Computes the SHA-256 or BLAKE3 hash of a file of any size.
///
/// Use it to compare a file with a published checksum or with another copy. For `if_match` use the etag that
/// `mcp.fs.read` or `mcp.fs.stat` returns instead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hash {
    /// The file, from the virtual root.
    path: ClientPath,
    /// Which hash.
    #[serde(default)]
    algorithm: Algorithm,
}

/// Which hash.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Algorithm {
    /// SHA-256, as `sha256sum` prints it.
    #[default]
    Sha256,
    /// BLAKE3, as `b3sum` prints it; much faster.
    Blake3,
}

/// A file's hash.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Hashed {
    /// The path.
    path: String,
    /// Which hash.
    algorithm: Algorithm,
    /// The hash, in lower-case hexadecimal.
    hash: String,
    /// How many bytes were hashed.
    size: u64,
}

impl Method for Hash {
    const NAME: &'static str = "mcp.fs.hash";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Hashed;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Hashed, Error> {
        Ok(self.hash(context, fs)?)
    }
}

// === impl Hash ===

impl Hash {
    fn hash(self, context: &Context, fs: &Fs) -> Result<Hashed, Fault> {
        let place = fs.place(context, &self.path)?;
        let file = Regular::open(&place)?;
        let mut size = 0;
        let mut sha256 = Sha256::new();
        let mut blake3 = blake3::Hasher::new();
        etag::each_chunk(&file.file, &place.path, &context.cancel, |chunk| {
            size += chunk.len() as u64;
            match self.algorithm {
                Algorithm::Sha256 => sha256.update(chunk),
                Algorithm::Blake3 => {
                    blake3.update(chunk);
                }
            }
        })?;
        let hash = match self.algorithm {
            Algorithm::Sha256 => hex(&sha256.finalize()),
            Algorithm::Blake3 => blake3.finalize().to_string(),
        };
        Ok(Hashed { path: place.path.to_string(), algorithm: self.algorithm, hash, size })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
