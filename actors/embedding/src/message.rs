//! What the daemon and the model's process say to one another: JSON in frames, but for the numbers.

use serde::{Deserialize, Serialize};

use crate::child::Settings;
use crate::engine::{Facts, Role};
use crate::error::EmbedError;

/// What is asked of the process. The first is always `Load`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Load(Settings),
    Embed { role: Role, texts: Vec<String> },
    Count { texts: Vec<String> },
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
    Counts(Vec<usize>),
    Failed(EmbedError),
}

/// Numbers as they are sent.
pub(crate) fn bytes(numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    numbers.flat_map(f32::to_le_bytes).collect()
}

/// Numbers as they were before they were sent.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
}
