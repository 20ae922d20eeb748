//! `mcp.llm.models`.

use cluster_config::models::Kind;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::breaker::Health;
use crate::service::Llm;
use crate::upstream::Upstream;

/// Lists the models that you may use.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Models {}

/// The models, by alias.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// Each with how it is.
    models: Vec<Model>,
    /// What is meant when a chat says no model; null when nothing is.
    default: Option<String>,
}

/// One model.
#[derive(Serialize, JsonSchema)]
struct Model {
    /// The name to call it by.
    alias: String,
    /// Who provides it: `openai`, `anthropic`, `llama_cpp` and so on.
    provider: String,
    /// Its name there.
    model: String,
    /// `chat` or `embedding`.
    kind: Kind,
    /// Tokens that a conversation may have in all, where that is known.
    context_window: Option<u64>,
    /// Tokens that it writes at most where a call does not say.
    max_output_tokens: u64,
    /// Who answers when it fails, in order.
    fallbacks: Vec<String>,
    /// Whether it can be used: `ok`, `failing`, `open` (not asked for a while, because it failed again and again), or
    /// `unusable` as it is configured.
    state: &'static str,
    /// Why it is not `ok`.
    reason: Option<String>,
    /// Calls under way.
    in_flight: usize,
    /// Calls that wait for a place.
    waiting: usize,
}

impl Method for Models {
    const NAME: &'static str = "mcp.llm.models";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;

    type Reply = Listed;
    type Service = Llm;

    async fn call(self, context: &Context, llm: &Llm) -> Result<Listed, Error> {
        let tier = llm.tier(&context.caller.tier);
        let registry = llm.registry();
        let allowed = registry.iter().filter(|upstream| tier.covers_model(&upstream.alias));
        let default = registry.default_alias(Kind::Chat).filter(|alias| tier.covers_model(alias));
        Ok(Listed {
            models: allowed.map(|upstream| Model::of(upstream)).collect(),
            default: default.map(ToOwned::to_owned),
        })
    }
}

impl Model {
    fn of(upstream: &Upstream) -> Self {
        let (state, reason) = match (&upstream.model.unusable, upstream.breaker.health(Instant::now())) {
            (Some(why), _) => ("unusable", Some(why.clone())),
            (None, Health::Well) => ("ok", None),
            (None, Health::Failing(_, why)) => ("failing", Some(why)),
            (None, Health::Open(_, why)) => ("open", Some(why)),
        };
        let (in_flight, waiting) = upstream.load();
        let model = &upstream.model;
        Self {
            alias: upstream.alias.clone(),
            provider: model.provider.to_string(),
            model: model.model.clone(),
            kind: model.kind,
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            fallbacks: model.fallbacks.clone(),
            state,
            reason,
            in_flight,
            waiting,
        }
    }
}
