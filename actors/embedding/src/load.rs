//! Who runs a model: whatever this program was built with.

use crate::child::Settings;
use crate::engine::Embed;
use crate::error::EmbedError;

/// Loads a model into this process, on ONNX Runtime.
///
/// # Errors
/// What is missing, damaged or unsuitable.
#[cfg(all(feature = "onnx", not(feature = "rten")))]
pub fn load(settings: &Settings) -> Result<Box<dyn Embed>, EmbedError> {
    crate::onnx::load(settings)
}

/// Loads a model into this process: on ONNX Runtime if its library is there, else on rten.
///
/// # Errors
/// What is missing, damaged or unsuitable.
#[cfg(all(feature = "onnx", feature = "rten"))]
pub fn load(settings: &Settings) -> Result<Box<dyn Embed>, EmbedError> {
    match settings.places.look_for_library() {
        Err(EmbedError::NotInstalled { .. }) => crate::rten::load(settings),
        _ => crate::onnx::load(settings),
    }
}

/// Loads a model into this process, on rten.
///
/// # Errors
/// What is missing, damaged or unsuitable.
#[cfg(all(feature = "rten", not(feature = "onnx")))]
pub fn load(settings: &Settings) -> Result<Box<dyn Embed>, EmbedError> {
    crate::rten::load(settings)
}
