//! A model in this process: fastembed on ONNX Runtime, whose library is opened at run time.
//!
//! Once opened, the library stays, and a process has one environment for life; what a session allocated comes back only
//! in part. So this belongs into a process of its own (`main.rs`), which is unloaded by ending it.

use std::path::Path;

use fastembed::{InitOptionsUserDefined, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use memchr::memmem;

use crate::child::Settings;
use crate::engine::{Embed, Facts, Role};
use crate::error::EmbedError;
use crate::folder::{Folder, Parts};
use crate::known::{Pooling, Usage};
use crate::tokenize;

/// The model, its tokenizer and its session.
pub(crate) struct Onnx {
    model: TextEmbedding,
    usage: Usage,
    /// A text's vector depends on the others of its batch, so there are none.
    alone: bool,
    facts: Facts,
}

/// What an ONNX file has in it whose activations are quantized as they come, over all of a batch.
const DYNAMIC: &[u8] = b"DynamicQuantizeLinear";

/// Loads what `settings` name.
///
/// # Errors
/// All those of files, library and model.
pub(crate) fn load(settings: &Settings) -> Result<Box<dyn Embed>, EmbedError> {
    let places = &settings.places;
    let folder = Folder::open(places.folder())?;
    let usage = Usage::of(&places.model, &folder);
    // Files first: they are what is missing most often, and are said to be at once.
    let parts = Parts::read(&folder)?;
    let fingerprint = usage.fingerprint(&parts);
    let (library, version) = places.checked_library()?;
    let environment = environment(&library)?;

    let failed = |why: String| EmbedError::Model { folder: folder.path.clone(), why };
    let alone = memmem::find(&parts.model, DYNAMIC).is_some();
    let pooling = match usage.pooling {
        Pooling::Mean => fastembed::Pooling::Mean,
        Pooling::Cls => fastembed::Pooling::Cls,
    };
    let files = TokenizerFiles {
        tokenizer_file: parts.tokenizer,
        config_file: parts.config,
        special_tokens_map_file: parts.special_tokens_map,
        tokenizer_config_file: parts.tokenizer_config,
    };
    let model = UserDefinedEmbeddingModel::new(parts.model, files).with_pooling(pooling);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment)
        .with_max_length(usage.tokens_max)
        .with_intra_threads(settings.threads.max(1))
        // Threads that spin between two texts would be most of what an indexing machine does.
        .with_session_config("session.intra_op.allow_spinning", "0");
    let model = TextEmbedding::try_new_from_user_defined(model, options);
    let model = model.map_err(|error| failed(error.to_string()))?;

    let truncation = model.tokenizer.get_truncation().map(|truncation| truncation.max_length);
    let facts = Facts {
        model: places.model.clone(),
        dimensions: 0,
        fingerprint,
        tokens_max: truncation.unwrap_or(usage.tokens_max),
        runtime: format!("{version}, {}", library.display()),
        process: None,
    };
    let mut onnx = Onnx { model, usage, alone, facts };
    // A vector tells how long vectors are; and a model that cannot do one word is no model.
    let tried = onnx.embed(Role::Query, &["word".to_owned()]).map_err(|error| failed(error.to_string()))?;
    onnx.facts.dimensions = tried.first().map_or(0, Vec::len);
    Ok(Box::new(onnx))
}

fn environment(library: &Path) -> Result<ort::environment::Environment, EmbedError> {
    let failed = |why: String| EmbedError::Runtime { file: library.to_owned(), why };
    let builder = ort::init_from(library).map_err(|error| failed(error.to_string()))?;
    builder.with_telemetry(false).build().map_err(|error| failed(error.to_string()))
}

// === impl Onnx ===

impl Embed for Onnx {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let prefix = self.usage.prefix(role);
        let texts: Vec<String> =
            texts.iter().map(|text| format!("{prefix}{}", tokenize::beginning(text))).collect();
        let at_once = if self.alone { 1 } else { texts.len().max(1) };
        let mut vectors = Vec::with_capacity(texts.len());
        for some in texts.chunks(at_once) {
            let done = self.model.embed(some, None);
            vectors.extend(done.map_err(|error| EmbedError::Failed { why: error.to_string() })?);
        }
        Ok(vectors)
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        tokenize::count(&mut self.model.tokenizer, texts)
    }
}
