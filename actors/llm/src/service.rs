//! The service's handle: what its methods share, replaced whole when models.yaml changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use cluster_config::models::load_models;
use cluster_config::{Environment, Mistakes, Tier};
use protocol::{Code, Error};
use serde_json::json;
use store::Store;
use supervisor::ChildSpec;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::breaker::Health;
use crate::quota::{Ledger, Limits};
use crate::registry::Registry;

/// What the service is told.
pub struct Config {
    /// `models.yaml`; none for an instance without models.
    pub file: Option<PathBuf>,
    /// Keys, and the original's variables.
    pub environment: Environment,
    /// Where the counters are.
    pub store: Store,
    /// The tier of this name as it is in force now.
    pub tier: Box<dyn Fn(&str) -> Tier + Send + Sync>,
    /// Tokens that all callers together may use in a day; 0 is no limit.
    pub tokens_per_day: u64,
    /// Money that all callers together may spend in a day; 0 is no limit.
    pub cost_per_day: f64,
    /// Calls under way at one time.
    pub calls: usize,
    /// The embedding model that files are searched with.
    pub local: embedding::Embedder,
}

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Llm(Arc<Shared>);

struct Shared {
    config: Config,
    registry: ArcSwap<Registry>,
    ledger: Ledger,
    places: Semaphore,
    /// What was complained about: told once, until it changes.
    told: Mutex<Vec<String>>,
}

impl Llm {
    /// Reads the models. Blocks on the disk.
    ///
    /// # Errors
    /// Every mistake in models.yaml.
    pub fn open(config: Config) -> Result<Self, Mistakes> {
        // The first to be installed stays; every part of the process wants the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let llm = Self(Arc::new(Shared {
            ledger: Ledger::new(config.store.clone()),
            registry: ArcSwap::default(),
            places: Semaphore::new(config.calls),
            told: Mutex::default(),
            config,
        }));
        llm.read()?;
        Ok(llm)
    }

    /// A child that reads the models again when their file changes; none when there is no file to read.
    pub fn reader(&self, id: &str) -> Option<ChildSpec> {
        let folder = self.0.config.file.as_deref().and_then(Path::parent)?.to_owned();
        let llm = self.clone();
        Some(service::reader(id, folder, move || llm.reload()))
    }

    /// How the upstreams are, in a line, for whoever looks at the tree; none while all are well.
    pub fn health(&self) -> Option<String> {
        let now = tokio::time::Instant::now();
        let registry = self.registry();
        let ill = registry.iter().filter_map(|upstream| match upstream.breaker.health(now) {
            Health::Well => None,
            Health::Failing(times, why) => Some(format!("{}: failed {times} times, {why}", upstream.alias)),
            Health::Open(left, why) => {
                Some(format!("{}: not asked for {} s, {why}", upstream.alias, left.as_secs()))
            }
        });
        let ill: Vec<_> = ill.collect();
        (!ill.is_empty()).then(|| ill.join("; "))
    }

    /// A bad edit keeps the models that were, and says so once.
    fn reload(&self) {
        if let Err(mistakes) = self.read() {
            let text = mistakes.to_string();
            let mut told = self.told();
            if !told.contains(&text) {
                tracing::error!("models.yaml has mistakes; the models stay as they were:\n{text}");
                told.push(text);
            }
        }
    }

    fn read(&self) -> Result<(), Mistakes> {
        let Some(file) = &self.0.config.file else { return Ok(()) };
        let (models, warnings) = load_models(file, &self.0.config.environment)?;
        {
            let mut told = self.told();
            for warning in warnings.iter().filter(|warning| !told.contains(warning)) {
                tracing::warn!("{warning}");
            }
            *told = warnings;
        }
        let registry = Registry::of(models, &self.registry());
        self.0.registry.store(Arc::new(registry));
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among all calls under way.
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.0.places.try_acquire().map_err(|_| {
            let max = self.0.config.calls;
            let text = format!("{max} calls of models are under way (llm.calls). Try again shortly.");
            Error::new(Code::Overloaded, text)
                .with_data(json!({ "retry_after_ms": 500, "retry_safe": true, "limit": max }))
        })
    }

    /// The embedding model of this machine.
    pub(crate) fn local(&self) -> &embedding::Embedder {
        &self.0.config.local
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.0.registry.load_full()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(crate) fn tier(&self, name: &str) -> Tier {
        (self.0.config.tier)(name)
    }

    pub(crate) fn limits(&self, tier: &str) -> Limits {
        let tier = self.tier(tier);
        let config = &self.0.config;
        Limits {
            call: tier.max_llm_tokens_per_request,
            caller: tier.max_llm_tokens_per_day,
            caller_cost: nanos(tier.max_llm_cost_per_day),
            instance: config.tokens_per_day,
            instance_cost: nanos(config.cost_per_day),
        }
    }
}

/// Money in billionths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits are checked to be positive"
)]
fn nanos(money: f64) -> u64 {
    (money * 1e9).round() as u64
}
