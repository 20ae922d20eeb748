//! Embeddings (<https://ai.google.dev/api/embeddings>).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::openai::embedding_list;
use super::super::options::Options;
use super::super::{Outgoing, Usage, WireError, refusal};
use super::{PROVIDER, full_name, path};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    embeddings: Option<Vec<Embedding>>,
    #[serde(default)]
    usage_metadata: Option<Used>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Embedding {
    values: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Used {
    prompt_token_count: u64,
}

/// One request per text, in one body. Fields that the alias allows, such as `taskType`, are said in each.
pub(in super::super) fn embed(
    model: &str,
    input: &Value,
    given: &Map<String, Value>,
) -> Result<Outgoing, WireError> {
    let mut options = Options::new(PROVIDER, given);
    // The form of the vectors is made here, not there.
    options.take("encoding_format");
    let mut common = Map::new();
    common.insert("model".to_owned(), full_name(model).into());
    options.copy("dimensions", &mut common, "outputDimensionality");
    options.finish(&mut common)?;
    let requests: Vec<Value> = input
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| {
            let mut request = common.clone();
            request.insert("content".to_owned(), json!({"parts": [{"text": text}]}));
            request.into()
        })
        .collect();
    Ok(Outgoing { path: path(model, "batchEmbedContents"), body: json!({"requests": requests}) })
}

pub(in super::super) fn embeddings(body: &[u8], model: &str) -> Result<(Value, Option<Usage>), WireError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if answer.error.is_some() {
        return Err(WireError::Failed(refusal::read(body).message));
    }
    let Some(embeddings) = answer.embeddings else {
        return Err(WireError::Broken(format!("{PROVIDER} sent an answer without embeddings")));
    };
    let prompt = answer.usage_metadata.map(|used| used.prompt_token_count);
    let vectors = embeddings.into_iter().map(|embedding| embedding.values.into()).collect();
    Ok((embedding_list(model, vectors, prompt), prompt.map(|prompt| Usage { prompt, completion: 0 })))
}
