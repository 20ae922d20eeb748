//! The models of the settings, each with its upstream: one immutable set, replaced whole when the file changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cluster_config::models::{Kind, Models};
use protocol::{Code, Error};
use serde_json::json;

use crate::connections::Connections;
use crate::upstream::Upstream;

/// Every model that is configured.
#[derive(Default)]
pub(crate) struct Registry {
    models: Models,
    upstreams: BTreeMap<String, Arc<Upstream>>,
    connections: BTreeMap<u64, Connections>,
}

impl Registry {
    /// The set of `models`. What is as it was in `old` keeps its connections, its queue and its health.
    pub(crate) fn of(models: Models, old: &Self) -> Self {
        let mut new = Self { models, ..Self::default() };
        for (alias, model) in new.models.iter() {
            let kept = old.upstreams.get(alias).filter(|upstream| upstream.model == *model);
            let upstream = kept.cloned().unwrap_or_else(|| {
                let connect = model.timeouts.connect_seconds;
                let known = new.connections.get(&connect).or_else(|| old.connections.get(&connect)).cloned();
                let connections = known.unwrap_or_else(|| Connections::new(Duration::from_secs(connect)));
                Arc::new(Upstream::new(alias, model, connections))
            });
            new.connections
                .entry(upstream.model.timeouts.connect_seconds)
                .or_insert_with(|| upstream.connections.clone());
            new.upstreams.insert(alias.to_owned(), upstream);
        }
        new
    }

    /// Every upstream, by alias.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.upstreams.values()
    }

    /// Whether there is a model of this kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.models.iter().any(|(_, model)| model.kind == kind)
    }

    /// The alias that stands for "no model said".
    pub(crate) fn default_alias(&self, kind: Kind) -> Option<&str> {
        self.models.default_of(kind)
    }

    /// The upstream of `alias`, or of the default.
    ///
    /// # Errors
    /// -32051 when there is none of this name and kind, or it cannot be used, with what to do.
    pub(crate) fn find(&self, alias: Option<&str>, kind: Kind) -> Result<&Arc<Upstream>, Error> {
        if self.upstreams.is_empty() {
            return Err(
                Error::new(Code::LlmNoModel, NONE).with_data(json!({ "models": [], "retry_safe": true }))
            );
        }
        let Some(alias) = alias.or_else(|| self.default_alias(kind)) else {
            let text = format!(
                "No model is the default for {}. Say which in 'model', or set `default: true` in models.yaml.",
                kind.noun()
            );
            return Err(self.no_model(text, kind));
        };
        let Some(upstream) = self.upstreams.get(alias) else {
            let shown: String = alias.chars().take(64).collect();
            let text = format!("No model '{shown}' is configured. mcp.llm.models lists those that are.");
            return Err(self.no_model(text, kind));
        };
        if upstream.model.kind != kind {
            return Err(self.no_model(format!("Model '{alias}' is not for {}.", kind.noun()), kind));
        }
        if let Some(why) = &upstream.model.unusable {
            return Err(self.no_model(format!("Model '{alias}' cannot be used: {why}"), kind));
        }
        Ok(upstream)
    }

    fn no_model(&self, text: String, kind: Kind) -> Error {
        let of_kind = self.iter().filter(|upstream| upstream.model.kind == kind);
        let names: Vec<&str> = of_kind.map(|upstream| upstream.alias.as_str()).take(32).collect();
        Error::new(Code::LlmNoModel, text).with_data(json!({ "models": names, "retry_safe": true }))
    }
}

/// What to say where nothing is configured.
const NONE: &str = "No model is configured. Set OPENAI_API_KEY, or LLAMA_CPP_API_BASE_URL for a llama-server, or write one \
                    into models.yaml; `llmbasedos doctor` shows how.";
