//! Embeddings: `/api/embed`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::openai::embedding_list;
use super::super::options::Options;
use super::super::{Outgoing, Usage, WireError, refusal};
use super::PROVIDER;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    embeddings: Option<Vec<Value>>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

pub(in super::super) fn embed(
    model: &str,
    input: &Value,
    given: &Map<String, Value>,
) -> Result<Outgoing, WireError> {
    let mut options = Options::new(PROVIDER, given);
    // The form of the vectors is made here, not there.
    options.take("encoding_format");
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("input".to_owned(), input.clone());
    // Left to itself it cuts what is too long, and the vector is of something else.
    let truncate = options.take("truncate").cloned().unwrap_or(Value::Bool(false));
    body.insert("truncate".to_owned(), truncate);
    options.copy("dimensions", &mut body, "dimensions");
    options.finish(&mut body)?;
    Ok(Outgoing { path: "/api/embed".to_owned(), body: body.into() })
}

pub(in super::super) fn embeddings(body: &[u8], model: &str) -> Result<(Value, Option<Usage>), WireError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if answer.error.is_some() {
        return Err(WireError::Failed(refusal::read(body).message));
    }
    let Some(embeddings) = answer.embeddings else {
        return Err(WireError::Broken(format!("{PROVIDER} sent an answer without embeddings")));
    };
    let usage = answer.prompt_eval_count.map(|prompt| Usage { prompt, completion: 0 });
    Ok((embedding_list(model, embeddings, answer.prompt_eval_count), usage))
}
