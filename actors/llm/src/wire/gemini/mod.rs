//! Google's `generateContent` (<https://ai.google.dev/api/generate-content>).

mod answer;
mod embedding;
mod request;

use std::fmt::Write as _;

pub(super) use answer::{Stream, completion};
pub(super) use embedding::{embed, embeddings};
pub(super) use request::chat;

/// As errors call them: "is not supported by Gemini models".
const PROVIDER: &str = "Gemini";

/// A model's full name. Tuned models have one of their own already: `tunedModels/...`.
fn full_name(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

/// The path of one of a model's methods. A name is data; in a path it must not become anything else.
fn path(model: &str, method: &str) -> String {
    let mut path = String::from("/");
    for byte in full_name(model).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path.push(':');
    path.push_str(method);
    path
}
