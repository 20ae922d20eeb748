//! What is done with a model's tokenizer besides what the model does with it.

use tokenizers::Tokenizer;

use crate::error::EmbedError;
use crate::folder::{Folder, Places, TOKENIZER};

/// How much of a text the tokenizer is given for a vector, in bytes. The model reads some 512 tokens, which are some
/// 2 KB of prose; this keeps a text of a megabyte from being tokenized for the vector of its first page.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// The part of a text that is looked at.
pub(crate) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// How many tokens each text has, whatever the model's limit.
pub(crate) fn count(tokenizer: &mut Tokenizer, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
    let failed = |why: String| EmbedError::Failed { why };
    let limit = tokenizer.get_truncation().cloned();
    tokenizer.with_truncation(None).map_err(|error| failed(error.to_string()))?;
    let count = |text: &String| {
        let encoded =
            tokenizer.encode_fast(text.as_str(), false).map_err(|error| failed(error.to_string()))?;
        // Where texts are padded to one length, what they are padded with counts as nothing.
        Ok(encoded.get_attention_mask().iter().filter(|mask| **mask == 1).count())
    };
    let all = texts.iter().map(count).collect::<Result<Vec<usize>, EmbedError>>();
    tokenizer.with_truncation(limit).map_err(|error| failed(error.to_string()))?;
    all
}

/// A model's tokenizer by itself, for who cuts texts to what the model reads at once.
pub struct Tokens(Tokenizer);

impl Tokens {
    /// Opens the tokenizer of the model at these places, which takes some milliseconds and megabytes.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn open(places: &Places) -> Result<Self, EmbedError> {
        let folder = Folder::open(places.folder())?;
        let failed = |why: String| EmbedError::Model { folder: folder.path.clone(), why };
        let mut tokenizer =
            Tokenizer::from_bytes(folder.read(TOKENIZER)?).map_err(|error| failed(error.to_string()))?;
        tokenizer.with_truncation(None).map_err(|error| failed(error.to_string()))?;
        tokenizer.with_padding(None);
        Ok(Self(tokenizer))
    }

    /// Where each token of a text begins, in bytes. The tokens that the model puts around a text are not among them, and
    /// nothing is cut off at the model's limit. None for a text that it cannot read.
    pub fn begins(&self, text: &str) -> Option<Vec<u32>> {
        let encoded = self.0.encode(text, false).ok()?;
        let begin = |&(begin, _): &(usize, usize)| u32::try_from(begin).unwrap_or(u32::MAX);
        Some(encoded.get_offsets().iter().map(begin).collect())
    }
}
