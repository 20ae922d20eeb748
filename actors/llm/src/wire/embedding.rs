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

/// Checks what is to be embedded and the known options. Gives the input as a list, one entry per vector.
pub(super) fn check(input: &Value, options: &Map<String, Value>) -> Result<Value, WireError> {
    let list = match input {
        Value::String(_) => vec![input.clone()],
        Value::Array(list) => list.clone(),
        _ => return Err(wrong("input", "must be a string or an array of strings")),
    };
    if list.is_empty() || list.len() > TEXTS_MAX {
        return Err(wrong("input", format_args!("must have 1 to {TEXTS_MAX} texts, not {}", list.len())));
    }
    if let Some(index) = list.iter().position(|text| text.as_str().is_none_or(str::is_empty)) {
        return Err(wrong(format_args!("input[{index}]"), "must be a non-empty string"));
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
