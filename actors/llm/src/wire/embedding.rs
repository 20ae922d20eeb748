//! What embeddings have in common: which inputs may be asked for, and the form in which vectors travel.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::WireError;
use super::message::wrong;

/// Fields of OpenAI's embeddings body, beside `model` and `input`, that any caller may set.
pub const EMBEDDING_KNOWN: &[&str] = &["dimensions", "encoding_format", "user"];

/// OpenAI's bound on the texts of one request.
const TEXTS_MAX: usize = 2048;

/// Checks what is to be embedded and the known options. Gives the input as a list, one entry per vector, or, where the
/// provider takes `tokens`, as the caller's tokens of one text.
pub(super) fn check(input: &Value, options: &Map<String, Value>, tokens: bool) -> Result<Value, WireError> {
    let list = match input {
        Value::String(_) => vec![input.clone()],
        Value::Array(list) => list.clone(),
        _ => return Err(wrong("input", "must be a string or an array of strings")),
    };
    let one_of_tokens = tokens && is_tokens(input);
    if list.is_empty() || (list.len() > TEXTS_MAX && !one_of_tokens) {
        return Err(wrong("input", format_args!("must have 1 to {TEXTS_MAX} texts, not {}", list.len())));
    }
    let good =
        |text: &Value| text.as_str().is_some_and(|text| !text.is_empty()) || (tokens && is_tokens(text));
    if !one_of_tokens && let Some(index) = list.iter().position(|text| !good(text)) {
        let what = match (tokens, list[index].is_string()) {
            (_, true) => "must be a non-empty string",
            (true, false) => "must be a non-empty string, or the tokens of one",
            (false, false) => "must be a non-empty string: this provider takes no tokens",
        };
        return Err(wrong(format_args!("input[{index}]"), what));
    }
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "dimensions" if value.as_u64().is_none_or(|number| number == 0) => {
                return Err(wrong(name, "must be a positive integer"));
            }
            "encoding_format" if value != "float" && value != "base64" => {
                return Err(wrong(name, "must be float or base64"));
            }
            _ => {}
        }
    }
    Ok(list.into())
}

/// Whether this is the tokens of a text, as clients send them that count for themselves.
fn is_tokens(input: &Value) -> bool {
    input.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_u64))
}

/// Turns the vectors of an answer of `embeddings` into base64 of little-endian 32-bit floats, in place. OpenAI's own
/// clients ask for this form unless told otherwise, and some of them cannot read the other. Vectors that are in it
/// already stay.
pub fn embeddings_as_base64(answer: &mut Value) {
    let Some(data) = answer.get_mut("data").and_then(Value::as_array_mut) else {
        return;
    };
    for vector in data.iter_mut().filter_map(|entry| entry.get_mut("embedding")) {
        let Some(numbers) = vector.as_array() else {
            continue;
        };
        #[expect(clippy::cast_possible_truncation, reason = "the format has 32 bits per number")]
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|number| (number.as_f64().unwrap_or_default() as f32).to_le_bytes())
            .collect();
        *vector = STANDARD.encode(bytes).into();
    }
}
