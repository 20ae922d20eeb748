//! Embeddings by the model that files are searched with: no provider, no price, and the same limits.

use embedding::{EmbedError, Priority, Role, TEXTS_MAX};
use protocol::{Code, Context, Error};
use serde_json::{Map, Value, json};

use crate::chat::{not_allowed, reserve};
use crate::quota::{Demand, Price, Spent};
use crate::service::Llm;
use crate::wire;

/// What callers call it, where no model of `models.yaml` has the name.
pub(crate) const ALIAS: &str = "local";

/// Asks this machine's model for embeddings of `input`; the answer is OpenAI's list.
pub(crate) async fn embed(
    llm: &Llm,
    context: &Context,
    input: &Value,
    options: &Map<String, Value>,
) -> Result<Value, Error> {
    let tier = llm.tier(&context.caller.tier);
    if !tier.covers_model(ALIAS) {
        return Err(not_allowed(ALIAS, &context.caller.tier, &tier));
    }
    if let Some(name) = options.keys().find(|name| *name != "encoding_format" && *name != "user") {
        return Err(Error::invalid_params(format!("model '{ALIAS}' does not take '{name}'")));
    }
    let texts = texts(input)?;
    let until = context.deadline;
    let counts = llm.local().count(texts.clone(), Priority::Fresh, until).await.map_err(refused)?;
    let prompt = counts.iter().map(|count| *count as u64).sum();
    let demand = Demand {
        caller: context.caller.name.clone(),
        model: ALIAS.to_owned(),
        prompt,
        completion: 0,
        flexible: false,
        price: Price::default(),
    };
    let reservation = reserve(llm, context, demand, llm.limits(&context.caller.tier)).await?;
    let made = llm.local().embed(Role::Passage, texts, Priority::Fresh, until).await;
    let spent = if made.is_ok() { Spent { prompt, ..Spent::default() } } else { Spent::default() };
    llm.ledger().settle(reservation, ALIAS.to_owned(), spent, Price::default()).await?;
    let data = made
        .map_err(refused)?
        .into_iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }));
    let mut answer = json!({
        "object": "list",
        "data": data.collect::<Vec<_>>(),
        "model": ALIAS,
        "usage": { "prompt_tokens": prompt, "total_tokens": prompt },
    });
    if options.get("encoding_format").is_some_and(|format| format == "base64") {
        wire::embeddings_as_base64(&mut answer);
    }
    Ok(answer)
}

fn texts(input: &Value) -> Result<Vec<String>, Error> {
    let texts: Option<Vec<String>> = match input {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let texts =
        texts.ok_or_else(|| Error::invalid_params(format!("model '{ALIAS}' takes texts, not tokens")))?;
    if texts.is_empty() || texts.len() > TEXTS_MAX {
        return Err(Error::invalid_params(format!(
            "'input' has {} texts; 1 to {TEXTS_MAX} may be",
            texts.len()
        )));
    }
    Ok(texts)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn refused(error: EmbedError) -> Error {
    let code = match error {
        EmbedError::Busy { .. } => Code::Overloaded,
        EmbedError::Deadline => Code::DeadlineExceeded,
        EmbedError::NotInstalled { .. } => Code::LlmNoModel,
        _ => Code::LlmUpstream,
    };
    let kind = if matches!(error, EmbedError::NotInstalled { .. }) { "not_installed" } else { "failed" };
    Error::new(code, format!("The embedding model of this machine: {}.", error.public()))
        .with_data(json!({ "kind": kind, "model": ALIAS, "models": [], "retry_safe": true }))
}
