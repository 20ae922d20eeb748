//! Embeddings: one request, one answer, under the same limits as a chat.

use cluster_config::models::Kind as ModelKind;
use protocol::{Context, Error};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};

use crate::ask;
use crate::bill::Bill;
use crate::chat::{invalid, let_through, not_allowed, reserve};
use crate::failure::{Failure, Kind};
use crate::local;
use crate::quota::Demand;
use crate::service::Llm;
use crate::tokens;
use crate::tries::Tries;
use crate::upstream::{Upstream, open};
use crate::wire::{self, Outgoing, Usage};

/// Asks for embeddings of `input`, a text or a list of texts; the answer is OpenAI's list.
pub(crate) async fn embed(
    llm: &Llm,
    context: &Context,
    model: Option<&str>,
    input: &Value,
    options: &Map<String, Value>,
) -> Result<Value, Error> {
    let _place = llm.enter()?;
    let registry = llm.registry();
    let tier = llm.tier(&context.caller.tier);
    if let Some(alias) = model.or_else(|| registry.default_alias(ModelKind::Embedding))
        && alias != local::ALIAS
        && !tier.covers_model(alias)
    {
        return Err(not_allowed(alias, &context.caller.tier, &tier));
    }
    let named = model.or_else(|| registry.default_alias(ModelKind::Embedding));
    let is_local = named == Some(local::ALIAS) || (named.is_none() && !registry.has(ModelKind::Embedding));
    if is_local && registry.find(Some(local::ALIAS), ModelKind::Embedding).is_err() {
        return local::embed(llm, context, input, options).await;
    }
    let upstream = registry.find(model, ModelKind::Embedding)?;
    let_through(upstream, wire::EMBEDDING_KNOWN, options)?;
    let base64 = options.get("encoding_format").is_some_and(|format| format == "base64");
    let outgoing = upstream.protocol.embed(&upstream.model.model, input, options).map_err(invalid)?;
    let prompt = tokens::count_anywhere(texts(input)).await?;
    let demand = Demand {
        caller: context.caller.name.clone(),
        model: upstream.alias.clone(),
        prompt,
        completion: 0,
        flexible: false,
        price: upstream.price(),
    };
    let reservation = reserve(llm, context, demand, llm.limits(&context.caller.tier)).await?;
    let mut bill = Bill::new(llm.ledger().clone(), reservation, upstream, prompt);
    let mut tries = Tries::at(upstream, false, context.deadline);
    let answer = loop {
        match ask_once(upstream, &outgoing).await {
            Ok((answer, usage)) => {
                bill.take("", usage);
                break Ok((answer, usage.is_some()));
            }
            Err(failure) if tries.again(&failure).await => {}
            Err(failure) => break Err(failure.error(&upstream.alias, &[])),
        }
    };
    let settled = bill.settle().await;
    let (mut answer, counted) = answer?;
    let spent = settled?.spent;
    if !counted {
        // OpenAI's list always says it, and it is what was settled.
        answer["usage"] = json!({ "prompt_tokens": spent.prompt, "total_tokens": spent.prompt });
    }
    if base64 {
        wire::embeddings_as_base64(&mut answer);
    }
    Ok(answer)
}

async fn ask_once(upstream: &Upstream, outgoing: &Outgoing) -> Result<(Value, Option<Usage>), Failure> {
    let _place = upstream.place().await?;
    let attempt = upstream.breaker.enter(Instant::now()).map_err(|left| open(left, "it is being tried"))?;
    let exchange = async {
        let response = ask::send(upstream, outgoing).await?;
        let body = ask::whole(upstream, response).await?;
        Ok(upstream.protocol.embeddings(&body, &upstream.model.model)?)
    };
    let total = upstream.total();
    let ended = timeout(total, exchange).await.unwrap_or_else(|_| {
        let text = format!("its provider has not answered in {} s", total.as_secs());
        Err(Failure::new(Kind::Timeout, text))
    });
    let ended = ended.map_err(|failure| failure.without(upstream.key()));
    match &ended {
        Err(failure) if failure.is_illness() => attempt.failed(&failure.message, Instant::now()),
        _ => attempt.answered(),
    }
    ended
}

/// All texts, for those who count; tokens that a caller made itself are a text of as many words.
fn texts(input: &Value) -> String {
    match input {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(texts).collect::<Vec<_>>().join("\n"),
        _ => "a ".to_owned(),
    }
}
