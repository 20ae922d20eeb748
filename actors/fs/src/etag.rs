//! Etags and the conditions that callers put on them.
//!
//! An etag is 128 bits of the content's BLAKE3 hash: the same content has the same etag wherever it lies and
//! whatever its times say, so a condition never fails because of a `touch` and never holds by accident.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd;

use protocol::Cancel;

use crate::attributes::{Attributes, Kind};
use crate::beneath;
use crate::fault::{At as _, Fault, What};
use crate::path::VirtualPath;

/// How much of a file is hashed between two looks at the stop signal.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// What a write-like call demands of what is there now, from its `if_match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Absent, null or `""`: anything, or nothing.
    Whatever,
    /// `"none"`: nothing is there.
    Nothing,
    /// `"*"`: something is there.
    Something,
    /// Exactly this content.
    Content(String),
}

/// The etag of `content`.
pub(crate) fn of_bytes(content: &[u8]) -> String {
    short(&blake3::hash(content))
}

/// The etag of a whole open file.
pub(crate) fn of_file(file: &File, path: &VirtualPath, cancel: &Cancel) -> Result<String, Fault> {
    let mut hasher = blake3::Hasher::new();
    each_chunk(file, path, cancel, |chunk| {
        hasher.update(chunk);
    })?;
    Ok(short(&hasher.finalize()))
}

/// Hands a file to `take`, chunk by chunk, from where its handle stands to its end.
pub(crate) fn each_chunk(
    mut file: &File,
    path: &VirtualPath,
    cancel: &Cancel,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Fault> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        Fault::unless_cancelled(cancel)?;
        match file.read(&mut chunk).at(path)? {
            0 => return Ok(()),
            bytes => take(&chunk[..bytes]),
        }
    }
}

fn short(hash: &blake3::Hash) -> String {
    hash.to_hex()[..32].to_owned()
}

// === impl Condition ===

impl Condition {
    pub(crate) fn parse(if_match: Option<&str>) -> Self {
        match if_match {
            None | Some("") => Self::Whatever,
            Some("none") => Self::Nothing,
            Some("*") => Self::Something,
            Some(etag) => Self::Content(etag.to_owned()),
        }
    }

    /// Whether `name` in `dir` is what the caller expects. `found` is what a look at it said just now. Content is
    /// only read when the answer depends on it.
    pub(crate) fn check(
        &self,
        dir: impl AsFd,
        name: &str,
        found: Option<&Attributes>,
        path: &VirtualPath,
        cancel: &Cancel,
    ) -> Result<(), Fault> {
        let actual = match (self, found) {
            (Self::Whatever, _) | (Self::Nothing, None) | (Self::Something, Some(_)) => return Ok(()),
            (Self::Nothing | Self::Content(_), Some(found)) if found.kind == Kind::File => {
                let file = File::from(beneath::child(dir, name, beneath::TO_READ).at(path)?);
                if Attributes::of(&file).at(path)?.kind != Kind::File {
                    return Err(Fault::new(What::Special, path));
                }
                Some(of_file(&file, path, cancel)?)
            }
            _ => None,
        };
        self.compare(actual, path)
    }

    /// Whether content with the etag `actual` is what the caller expects.
    pub(crate) fn compare(&self, actual: Option<String>, path: &VirtualPath) -> Result<(), Fault> {
        let expected = match self {
            Self::Whatever => return Ok(()),
            Self::Content(expected) if Some(expected) == actual.as_ref() => return Ok(()),
            Self::Content(expected) => expected.clone(),
            Self::Nothing => "none".to_owned(),
            Self::Something => "*".to_owned(),
        };
        Err(Fault::Conflict { path: path.to_string(), expected, actual })
    }
}
