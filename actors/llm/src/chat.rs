//! One chat: from what a caller asks to what a model answers, under the caller's limits.
//!
//! What the call may come to is reserved first; then the models of the plan are asked, each with its tries, until one
//! has begun to answer; from then on there is no other. Dropped anywhere, the call stops: its connection to the
//! provider is closed, which stops that too, and what was used is settled.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cluster_config::models::Kind as ModelKind;
use protocol::llm::{CHUNK_HEAD, CHUNK_TAIL};
use protocol::{Code, Context, Error};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};

use crate::ask;
use crate::bill::Bill;
use crate::failure::{Failure, Kind};
use crate::quota::{Demand, Limits, Price, Reservation};
use crate::service::Llm;
use crate::tokens;
use crate::tries::Tries;
use crate::upstream::{Upstream, open};
use crate::wire::{self, Assembler, Chat, WireError};

/// How long the end of a body is waited for after the end of what is in it, so that its connection can be used again.
const DRAIN: Duration = Duration::from_millis(100);

/// What a caller asks.
pub(crate) struct Asked {
    /// The alias; the default when none is said.
    pub(crate) model: Option<String>,
    /// An array, as it turns out.
    pub(crate) messages: Value,
    pub(crate) options: Map<String, Value>,
    pub(crate) stream: bool,
}

impl Asked {
    fn messages(&self) -> &[Value] {
        self.messages.as_array().map_or(&[], Vec::as_slice)
    }
}

/// How a chat ended well.
pub(crate) enum Answered {
    /// The whole of it, a `chat.completion`.
    Whole(Value),
    /// It went to the caller in parts, from this model; and what it used.
    Parts { model: String, usage: Value },
}

/// Why an exchange did not end well.
enum Stop {
    /// Because of the upstream.
    Failed(Failure),
    /// Because of the caller.
    Gone(Error),
}

/// How an answer reaches the caller.
enum Delivery {
    /// Each chunk as it comes.
    Parts,
    /// Its text as news, and the whole at the end.
    News(Assembler),
    /// The whole at the end.
    Whole,
}

struct Run<'a> {
    context: &'a Context,
    asked: &'a Asked,
    /// `max_tokens`, where we set it.
    written_max: Option<u64>,
    bill: Bill,
    delivery: Delivery,
    /// Whether the caller has seen anything of an answer.
    delivered: bool,
}

/// Asks the models.
pub(crate) async fn chat(llm: &Llm, context: &Context, asked: Asked) -> Result<Answered, Error> {
    let _place = llm.enter()?;
    let plan = plan(llm, context, &asked)?;
    let first = &plan[0];
    let prompt = tokens::of_chat(asked.messages(), asked.options.get("tools")).await?;
    let limits = llm.limits(&context.caller.tier);
    let said = said(&asked.options);
    let demand = Demand {
        caller: context.caller.name.clone(),
        model: first.alias.clone(),
        prompt: tokens::at_most(prompt),
        completion: said.unwrap_or_else(|| most(first, prompt)) * choices(&asked.options),
        flexible: said.is_none(),
        price: dearest(&plan),
    };
    let reservation = reserve(llm, context, demand, limits).await?;
    // Only a limit is a reason to ask for less than the model would write.
    let written_max = (said.is_none() && limits != Limits::default())
        .then(|| reservation.completion / choices(&asked.options));
    let bill = Bill::new(llm.ledger().clone(), reservation, first, prompt);
    let delivery = match (asked.stream, context.inputs.is_some()) {
        (true, false) => Delivery::Parts,
        // A caller of the Model Context Protocol can be told news, whatever it asked for.
        (_, true) => Delivery::News(Assembler::default()),
        (false, false) => Delivery::Whole,
    };
    let mut run = Run { context, asked: &asked, written_max, bill, delivery, delivered: false };
    let answer = run.ask_all(&plan).await;
    let alias = run.bill.alias().to_owned();
    let delivered_in_parts = matches!(run.delivery, Delivery::Parts);
    let settled = run.bill.settle().await;
    let mut answer = answer?;
    let settled = settled?;
    if delivered_in_parts {
        return Ok(Answered::Parts { model: alias, usage: settled.usage() });
    }
    if answer.is_object() {
        settled.note_in(&mut answer);
    }
    Ok(Answered::Whole(answer))
}

/// Reserves what a call may come to, and tells what is left, also where that is too little.
pub(crate) async fn reserve(
    llm: &Llm,
    context: &Context,
    demand: Demand,
    limits: Limits,
) -> Result<Reservation, Error> {
    let reserved = llm.ledger().reserve(demand, limits).await;
    let left = match &reserved {
        Ok(reservation) => &reservation.left,
        Err(refusal) => &refusal.left,
    };
    if let Some(left) = left {
        context.note(left);
    }
    reserved.map_err(|refusal| refusal.error)
}

/// The models to ask, in order: the one that was asked for, and those that stand in for it as far as the caller may use
/// them.
fn plan(llm: &Llm, context: &Context, asked: &Asked) -> Result<Vec<Arc<Upstream>>, Error> {
    let registry = llm.registry();
    let first = registry.find(asked.model.as_deref(), ModelKind::Chat);
    let tier = llm.tier(&context.caller.tier);
    // What may not be used is not told apart from what there is not.
    let wanted = asked.model.as_deref().or_else(|| registry.default_alias(ModelKind::Chat));
    if let Some(alias) = wanted
        && !tier.covers_model(alias)
    {
        return Err(not_allowed(alias, &context.caller.tier, &tier));
    }
    let first = first?;
    wire::check(&asked.messages, &asked.options).map_err(invalid)?;
    let_through(first, wire::KNOWN, &asked.options)?;
    let others = first.model.fallbacks.iter().filter(|alias| tier.covers_model(alias));
    let others = others.filter_map(|alias| registry.find(Some(alias), ModelKind::Chat).ok());
    Ok(std::iter::once(first).chain(others).cloned().collect())
}

/// Refuses fields that are not `known` and that the model's owner has not let through.
pub(crate) fn let_through(
    upstream: &Upstream,
    known: &[&str],
    options: &Map<String, Value>,
) -> Result<(), Error> {
    let allowed = &upstream.model.allow_fields;
    match options.keys().find(|field| !known.contains(&field.as_str()) && !allowed.contains(field)) {
        None => Ok(()),
        Some(field) => {
            let shown: String = field.chars().take(64).collect();
            Err(Error::invalid_params(format!(
                "'{shown}' is not a field that goes to model '{}'. Its owner can let it through with allow_fields in models.yaml.",
                upstream.alias
            )))
        }
    }
}

pub(crate) fn not_allowed(alias: &str, name: &str, tier: &cluster_config::Tier) -> Error {
    let shown: String = alias.chars().take(64).collect();
    let text = if tier.llm_access {
        format!(
            "Tier {name} does not include the model '{shown}'. mcp.llm.models lists those that you may use."
        )
    } else {
        format!("Tier {name} includes no models.")
    };
    Error::new(Code::LlmModelNotAllowed, text).with_data(json!({ "model": shown, "tier": name }))
}

pub(crate) fn invalid(error: WireError) -> Error {
    Error::invalid_params(error)
}

/// How many tokens the caller says may be written.
fn said(options: &Map<String, Value>) -> Option<u64> {
    ["max_completion_tokens", "max_tokens"].iter().find_map(|name| options.get(*name)?.as_u64())
}

fn choices(options: &Map<String, Value>) -> u64 {
    options.get("n").and_then(Value::as_u64).unwrap_or(1).max(1)
}

/// How many tokens a model writes at most where nobody says it.
fn most(upstream: &Upstream, prompt: u64) -> u64 {
    let model = &upstream.model;
    model.context_window.map_or(model.max_output_tokens, |window| {
        model.max_output_tokens.min(window.saturating_sub(prompt)).max(1)
    })
}

fn dearest(plan: &[Arc<Upstream>]) -> Price {
    plan.iter().map(|upstream| upstream.price()).fold(Price::default(), |dearest, price| Price {
        prompt: dearest.prompt.max(price.prompt),
        completion: dearest.completion.max(price.completion),
    })
}

impl Run<'_> {
    /// Asks one model after the other, until one has begun to answer.
    async fn ask_all(&mut self, plan: &[Arc<Upstream>]) -> Result<Value, Error> {
        let mut tried = Vec::new();
        for (at, upstream) in plan.iter().enumerate() {
            match self.ask(upstream, at + 1 < plan.len()).await {
                Ok(answer) => return Ok(answer),
                Err(Stop::Gone(error)) => return Err(error),
                Err(Stop::Failed(failure)) => {
                    if self.delivered || !failure.is_upstreams() || at + 1 == plan.len() {
                        return Err(failure.error(&upstream.alias, &tried));
                    }
                    tracing::warn!(model = upstream.alias, kind = ?failure.kind, "asking the next model");
                    tried.push(format!("'{}': {}", upstream.alias, failure.message));
                }
            }
        }
        Err(Error::internal("a plan without models"))
    }

    /// Asks one model, again where that may help and nothing of an answer was seen yet.
    async fn ask(&mut self, upstream: &Upstream, others: bool) -> Result<Value, Stop> {
        let mut tries = Tries::at(upstream, others, self.context.deadline);
        loop {
            match self.ask_once(upstream).await {
                Err(Stop::Failed(failure)) if !self.delivered && tries.again(&failure).await => {}
                ended => return ended,
            }
        }
    }

    async fn ask_once(&mut self, upstream: &Upstream) -> Result<Value, Stop> {
        let _place = upstream.place().await?;
        let attempt =
            upstream.breaker.enter(Instant::now()).map_err(|left| open(left, "it is being tried"))?;
        self.bill.begin(upstream);
        if matches!(self.delivery, Delivery::News(_)) {
            self.delivery = Delivery::News(Assembler::default());
        }
        let total = upstream.total();
        let ended = timeout(total, self.exchange(upstream)).await.unwrap_or_else(|_| {
            let text = format!("its provider has not finished its answer in {} s", total.as_secs());
            Err(Stop::Failed(Failure::new(Kind::Timeout, text)))
        });
        let ended = ended.map_err(|stop| match stop {
            Stop::Failed(failure) => Stop::Failed(failure.without(upstream.key())),
            gone @ Stop::Gone(_) => gone,
        });
        match &ended {
            Err(Stop::Failed(failure)) if failure.is_illness() => {
                attempt.failed(&failure.message, Instant::now());
            }
            Err(Stop::Gone(_)) => drop(attempt),
            _ => attempt.answered(),
        }
        ended
    }

    async fn exchange(&mut self, upstream: &Upstream) -> Result<Value, Stop> {
        let stream = !matches!(self.delivery, Delivery::Whole);
        let options = self.options_for(upstream);
        let outgoing = upstream.protocol.chat(&Chat {
            model: &upstream.model.model,
            messages: self.asked.messages(),
            options: &options,
            stream,
        })?;
        let begun = Instant::now();
        let response = ask::send(upstream, &outgoing).await?;
        let since_1970 =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let id = format!("chatcmpl-{:x}", self.context.request_id);
        if stream {
            let translator = upstream.protocol.stream(&upstream.model.model, since_1970, &id);
            return self.read_stream(upstream, response, translator, begun).await;
        }
        let body = ask::whole(upstream, response).await?;
        let (answer, usage) = upstream.protocol.completion(&body, &upstream.model.model, since_1970, &id)?;
        let written = if usage.is_some() { String::new() } else { written_in(&answer) };
        self.bill.take(&written, usage);
        Ok(answer)
    }

    async fn read_stream(
        &mut self,
        upstream: &Upstream,
        response: reqwest::Response,
        mut translator: wire::Stream,
        begun: Instant,
    ) -> Result<Value, Stop> {
        let mut pieces = ask::pieces(upstream, response);
        let wants_usage =
            self.asked.options.get("stream_options").is_some_and(|it| it["include_usage"] == true);
        let (mut first, mut finished) = (true, false);
        loop {
            let limit =
                if first { upstream.first_token().saturating_sub(begun.elapsed()) } else { upstream.idle() };
            let piece = match timeout(limit, pieces.next()).await {
                Ok(Some(piece)) => translator.piece(&piece?)?,
                Ok(None) => break,
                Err(_) if first => return Err(ask::silent(upstream.first_token()).into()),
                Err(_) => return Err(ask::stalled(upstream.idle()).into()),
            };
            first = false;
            self.bill.take(&piece.written, piece.usage);
            finished |= piece.finish.is_some();
            for chunk in piece.chunks {
                self.deliver(chunk, &piece.written).await?;
            }
            if let Some(accounting) = piece.accounting
                && (wants_usage || !matches!(self.delivery, Delivery::Parts))
            {
                self.deliver(accounting, "").await?;
            }
            if piece.done {
                finished = true;
                // The connection is of use again once its body has ended.
                let _ = timeout(DRAIN, pieces.next()).await;
                break;
            }
        }
        if !finished {
            return Err(Failure::new(Kind::Closed, "its provider ended in the middle of its answer").into());
        }
        match std::mem::replace(&mut self.delivery, Delivery::Whole) {
            Delivery::News(assembler) => Ok(assembler.finish()),
            delivery => {
                self.delivery = delivery;
                Ok(Value::Null)
            }
        }
    }

    async fn deliver(&mut self, chunk: String, written: &str) -> Result<(), Stop> {
        if matches!(self.delivery, Delivery::Parts) {
            let part = [CHUNK_HEAD, &chunk, CHUNK_TAIL].concat();
            if self.context.part(part).await.map_err(Stop::Gone)? {
                self.delivered = true;
                return Ok(());
            }
            // The caller takes no parts: it gets the whole.
            self.delivery = Delivery::News(Assembler::default());
        }
        if let Delivery::News(assembler) = &mut self.delivery {
            assembler.take(&chunk)?;
            if !written.is_empty() {
                self.delivered = true;
                self.context.progress(&written);
            }
        }
        Ok(())
    }

    /// The body's other fields as this model gets them.
    fn options_for(&self, upstream: &Upstream) -> Map<String, Value> {
        let mut options = self.asked.options.clone();
        options.retain(|field, _| {
            wire::KNOWN.contains(&field.as_str()) || upstream.model.allow_fields.contains(field)
        });
        if let Some(max) = self.written_max {
            // OpenAI's reasoning models know only the newer name; others mostly only the older.
            let openai = upstream.model.provider == cluster_config::models::Provider::Openai;
            let name = if openai { "max_completion_tokens" } else { "max_tokens" };
            options.insert(name.to_owned(), max.into());
        }
        options
    }
}

/// The text of all choices of a whole answer, for those who count.
fn written_in(answer: &Value) -> String {
    let choices = answer["choices"].as_array().into_iter().flatten();
    let texts = choices.flat_map(|choice| {
        let message = &choice["message"];
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let calls = match &message["tool_calls"] {
            Value::Null => String::new(),
            calls => calls.to_string(),
        };
        [text("content"), text("reasoning_content"), calls]
    });
    texts.collect::<Vec<_>>().concat()
}

// === impl Stop ===

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests;
