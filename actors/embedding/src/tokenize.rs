//! What is done with a model's tokenizer besides what the model does with it.

use tokenizers::Tokenizer;

use crate::error::EmbedError;

/// How much of a text the tokenizer is given for a vector, in bytes. The model reads some 512 tokens, which are some
/// 2 KB of prose; this keeps a text of a megabyte from being tokenized for the vector of its first page.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// The part of a text that is looked at.
pub(crate) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// Where each token of each text begins, in bytes, whatever the model's limit.
pub(crate) fn begins(tokenizer: &mut Tokenizer, texts: &[String]) -> Result<Vec<Vec<u32>>, EmbedError> {
    let failed = |why: String| EmbedError::Failed { why };
    let limit = tokenizer.get_truncation().cloned();
    tokenizer.with_truncation(None).map_err(|error| failed(error.to_string()))?;
    let begins = |text: &String| {
        let encoded = tokenizer.encode(text.as_str(), false).map_err(|error| failed(error.to_string()))?;
        let begin = |&(begin, _): &(usize, usize)| u32::try_from(begin).unwrap_or(u32::MAX);
        Ok(encoded.get_offsets().iter().map(begin).collect())
    };
    let all = texts.iter().map(begins).collect::<Result<Vec<Vec<u32>>, EmbedError>>();
    tokenizer.with_truncation(limit).map_err(|error| failed(error.to_string()))?;
    all
}
