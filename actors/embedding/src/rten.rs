//! A model in this process without any library: rten, in Rust alone. It reads the same model.onnx and is somewhat slower
//! than ONNX Runtime.

use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use tokenizers::{AddedToken, Tokenizer, TruncationParams};

use crate::child::Settings;
use crate::engine::{Embed, Facts, Role};
use crate::error::EmbedError;
use crate::folder::{Folder, Parts};
use crate::known::{Pooling, Usage};
use crate::tokenize;

/// The model and its tokenizer.
struct Rten {
    model: Model,
    tokenizer: Tokenizer,
    threads: Arc<ThreadPool>,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    usage: Usage,
    facts: Facts,
}

/// What a BERT is given.
#[derive(Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

/// Loads what `settings` name, but for the library.
///
/// # Errors
/// All those of files and model.
pub(crate) fn load(settings: &Settings) -> Result<Box<dyn Embed>, EmbedError> {
    let places = &settings.places;
    let folder = Folder::open(places.folder())?;
    let usage = Usage::of(&places.model, &folder);
    let parts = Parts::read(&folder)?;
    let fingerprint = usage.fingerprint(&parts);
    let failed = |why: String| EmbedError::Model { folder: folder.path.clone(), why };

    let tokenizer = tokenizer(&parts, usage.tokens_max).map_err(&failed)?;
    let mut options = ModelOptions::with_all_ops();
    options.prepack_weights(true);
    let model = options.load(parts.model).map_err(|error| failed(error.to_string()))?;
    let named = |&id: &NodeId| model.node_info(id).and_then(|node| node.name().map(str::to_owned));
    let known = |id: &NodeId| match named(id).as_deref() {
        Some("input_ids") => Ok((*id, Input::Ids)),
        Some("attention_mask") => Ok((*id, Input::Mask)),
        Some("token_type_ids") => Ok((*id, Input::Types)),
        other => Err(failed(format!("an input {other:?} that is not known here"))),
    };
    let inputs = model.input_ids().iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let output = *model.output_ids().first().ok_or_else(|| failed("it has no output".into()))?;
    let facts = Facts {
        model: places.model.clone(),
        dimensions: 0,
        fingerprint,
        tokens_max: usage.tokens_max,
        runtime: "rten, in the program itself".to_owned(),
        process: None,
    };
    let threads = Arc::new(ThreadPool::with_num_threads(settings.threads.max(1)));
    let mut rten = Rten { model, tokenizer, threads, inputs, output, usage, facts };
    // A vector tells how long vectors are; and a model that cannot do one word is no model.
    let tried = rten.one(Role::Query, "word").map_err(|error| failed(error.to_string()))?;
    rten.facts.dimensions = tried.len();
    Ok(Box::new(rten))
}

/// As fastembed prepares one, but for padding: there is no second text to be padded for.
fn tokenizer(parts: &Parts, tokens_max: usize) -> Result<Tokenizer, String> {
    let mut tokenizer = Tokenizer::from_bytes(&parts.tokenizer).map_err(|error| error.to_string())?;
    let truncation = TruncationParams { max_length: tokens_max, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    let special: serde_json::Value =
        serde_json::from_slice(&parts.special_tokens_map).map_err(|error| error.to_string())?;
    let words = special.as_object().into_iter().flatten().filter_map(|(_, token)| {
        token.as_str().or_else(|| token["content"].as_str()).map(|word| AddedToken::from(word, true))
    });
    tokenizer.add_special_tokens(words.collect::<Vec<_>>()).map_err(|error| error.to_string())?;
    Ok(tokenizer)
}

// === impl Rten ===

impl Rten {
    fn one(&self, role: Role, text: &str) -> Result<Vec<f32>, EmbedError> {
        let failed = |why: String| EmbedError::Failed { why };
        let text = format!("{}{}", self.usage.prefix(role), tokenize::beginning(text));
        let encoded = self.tokenizer.encode(text, true).map_err(|error| failed(error.to_string()))?;
        let shape = [1, encoded.len()];
        let tensor = |&(id, input): &(NodeId, Input)| {
            let numbers = match input {
                Input::Ids => encoded.get_ids(),
                Input::Mask => encoded.get_attention_mask(),
                Input::Types => encoded.get_type_ids(),
            };
            let numbers = numbers.iter().map(|&number| i32::try_from(number).unwrap_or(i32::MAX));
            (id, NdTensor::from_data(shape, numbers.collect::<Vec<i32>>()).into())
        };
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.threads));
        let inputs = self.inputs.iter().map(tensor).collect();
        let outputs = self.model.run(inputs, &[self.output], Some(options));
        let output = outputs.map_err(|error| failed(error.to_string()))?.into_iter().next();
        let output = output.and_then(|output| NdTensor::<f32, 3>::try_from(output).ok());
        let output = output.ok_or_else(|| failed("its output is no vector for each token".into()))?;
        let [_, tokens, dimensions] = output.shape();
        let numbers = output.to_vec();
        let taken = match self.usage.pooling {
            Pooling::Mean => tokens,
            Pooling::Cls => 1,
        };
        let mut vector = vec![0.0; dimensions];
        for token in numbers.chunks(dimensions.max(1)).take(taken) {
            vector.iter_mut().zip(token).for_each(|(sum, number)| *sum += number);
        }
        // A mean is a sum by another length, and the length is made one.
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        Ok(vector.into_iter().map(|number| number / length).collect())
    }
}

impl Embed for Rten {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, role: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts.iter().map(|text| self.one(role, text)).collect()
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        tokenize::count(&mut self.tokenizer, texts)
    }
}
