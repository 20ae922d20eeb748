//! Content on its way into and out of JSON: as text or as Base64, whole or a part of it.
//!
//! A part of a text never ends inside a character, and a file that is not UTF-8 is refused as text rather than
//! repaired, so that reading and writing back never changes a byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, What};
use crate::files::Regular;
use crate::path::VirtualPath;

/// How content stands in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// As it is; UTF-8 only.
    #[default]
    Text,
    /// Base64 with padding, for anything.
    Base64,
}

/// Which part of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// From an offset, up to so many bytes.
    Bytes { offset: u64, most: u64 },
    /// From an offset, so many lines, but no more than so many bytes.
    Head { offset: u64, lines: u64, most: u64 },
    /// The last lines, but no more than so many bytes.
    Tail { lines: u64, most: u64 },
}

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// How much is read at a time while lines are counted.
const STEP_BYTES: u64 = 64 * 1024;

/// The longest character in UTF-8; a part is never so small that it could not hold one.
const CHARACTER_BYTES: u64 = 4;

// === impl Encoding ===

impl Encoding {
    /// The bytes that `content` stands for.
    pub(crate) fn decode(self, content: String) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Text => Ok(content.into_bytes()),
            Self::Base64 => STANDARD
                .decode(content)
                .map_err(|error| Fault::Params(format!("'content' is not Base64 with padding: {error}"))),
        }
    }

    /// How `bytes` stand in JSON.
    pub(crate) fn encode(self, bytes: Vec<u8>, path: &VirtualPath) -> Result<String, Fault> {
        match self {
            Self::Text => String::from_utf8(bytes).map_err(|_| Fault::new(What::NotText, path)),
            Self::Base64 => Ok(STANDARD.encode(bytes)),
        }
    }
}

// === impl Part ===

impl Part {
    /// Reads `range` of `file`; for text, whole characters only.
    pub(crate) fn read(
        file: &Regular,
        range: Range,
        encoding: Encoding,
        path: &VirtualPath,
    ) -> Result<Self, Fault> {
        let mut part = match range {
            Range::Bytes { offset, most } => Self::bytes(file, offset, most, path)?,
            Range::Head { offset, lines, most } => Self::head(file, offset, lines, most, path)?,
            Range::Tail { lines, most } => Self::tail(file, lines, most, path)?,
        };
        if encoding == Encoding::Text {
            part.trim_to_characters(matches!(range, Range::Tail { .. }), file.attributes.bytes)?;
        }
        Ok(part)
    }

    /// Where the part after this one begins; `None` at the end of the file.
    pub(crate) fn next_offset(&self, size: u64) -> Option<u64> {
        let end = self.offset + self.bytes.len() as u64;
        (end < size && !self.bytes.is_empty()).then_some(end)
    }

    fn bytes(file: &Regular, offset: u64, most: u64, path: &VirtualPath) -> Result<Self, Fault> {
        let left = file.attributes.bytes.saturating_sub(offset);
        let bytes = left.min(most.max(CHARACTER_BYTES));
        let bytes = usize::try_from(bytes).map_err(|_| Fault::Params("'limit' is too large".to_owned()))?;
        Ok(Self { offset, bytes: file.read_at(offset, bytes, path)? })
    }

    fn head(file: &Regular, offset: u64, lines: u64, most: u64, path: &VirtualPath) -> Result<Self, Fault> {
        let mut part = Self { offset, bytes: Vec::new() };
        let mut wanted = lines;
        while wanted > 0 && (part.bytes.len() as u64) < most {
            let have = part.bytes.len();
            let step = STEP_BYTES.min(most - have as u64);
            let more = Self::bytes(file, offset + have as u64, step, path)?.bytes;
            if more.is_empty() {
                break;
            }
            let mut taken = 0;
            while taken < more.len() && wanted > 0 {
                wanted -= u64::from(more[taken] == b'\n');
                taken += 1;
            }
            part.bytes.extend_from_slice(&more[..taken]);
        }
        Ok(part)
    }

    fn tail(file: &Regular, lines: u64, most: u64, path: &VirtualPath) -> Result<Self, Fault> {
        let size = file.attributes.bytes;
        let mut part = Self { offset: size, bytes: Vec::new() };
        let mut found = 0;
        while lines > 0 && part.offset > 0 && (part.bytes.len() as u64) < most {
            let step = STEP_BYTES.min(part.offset).min(most - part.bytes.len() as u64);
            let offset = part.offset - step;
            let mut block = file.read_at(offset, usize::try_from(step).unwrap_or_default(), path)?;
            // A newline at the very end closes the last line and begins none.
            let closing = usize::from(part.bytes.is_empty() && block.last() == Some(&b'\n'));
            for at in (0..block.len() - closing.min(block.len())).rev() {
                if block[at] != b'\n' {
                    continue;
                }
                found += 1;
                if found == lines {
                    block.drain(..=at);
                    block.extend_from_slice(&part.bytes);
                    return Ok(Self { offset: offset + at as u64 + 1, bytes: block });
                }
            }
            block.extend_from_slice(&part.bytes);
            part = Self { offset, bytes: block };
        }
        Ok(part)
    }

    /// Cuts an unfinished character at the end, and for a tail one at the beginning.
    fn trim_to_characters(&mut self, tail: bool, size: u64) -> Result<(), Fault> {
        let continues = |byte: &u8| (0x80..0xc0).contains(byte);
        if tail && self.offset > 0 {
            let cut = self.bytes.iter().take(3).take_while(|byte| continues(byte)).count();
            self.bytes.drain(..cut);
            self.offset += cut as u64;
        } else if self.offset > 0 && self.bytes.first().is_some_and(continues) {
            return Err(Fault::Params(format!(
                "'offset' {} is inside a character: use the next_offset of the answer before, or encoding 'base64'",
                self.offset
            )));
        }
        let end = self.offset + self.bytes.len() as u64;
        if end < size
            && let Err(error) = std::str::from_utf8(&self.bytes)
            && error.error_len().is_none()
        {
            self.bytes.truncate(error.valid_up_to());
        }
        Ok(())
    }
}
