//! The gateway: who is asking, may they, how much of it, and where to.
//!
//! Every request is admitted or refused where it came in, from immutable values that are replaced whole, so nothing
//! waits for anything. Two actors replace them: `auth` turns credentials into callers and keeps licence, tiers and
//! tokens up to date; `ledger` writes quota counters and the audit trail. `backends` are third-party daemons that
//! follow the original's protocol; each is an actor of its own.

mod admission;
mod gate;
mod policy;
mod routes;

mod licence;
mod rate;
mod token;

mod audit;
mod auth;
mod ledger;

mod callers;
mod methods;
mod views;

mod backend;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster_config::Tiers;
use jiff::Timestamp;
use protocol::dispatch::BoxFuture;
use protocol::mcp::Toolbox;
use protocol::{Caller, Credentials, Dispatch, Entry, Error, Incoming, Run};
use store::{Store, StoreError};
use supervisor::{CallError, ChildSpec, Slot, SupervisorSpec};

pub use audit::Totals;
pub use backend::{BackendConfig, supervisor as backends};
pub use gate::Gate;
pub use licence::{Licence, public_key, signed_text};
pub use policy::Policy;
pub use routes::{About, Destination, Routes, Shadowed};
pub use token::{NewToken, Token, Tokens, exists as token_exists, hash, revoke, secret};

/// A login that takes longer than this will not come.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);

/// What the gateway is told.
pub struct Config {
    /// Reads licence and tiers, at the start and after every edit; mistakes come as text for people.
    pub load: Box<dyn Fn() -> Result<Rules, String> + Send + Sync>,
    /// The files behind `load`.
    pub watched: Vec<PathBuf>,
    /// User ids that may use the UNIX sockets.
    pub uids: Vec<u32>,
    /// Whether TCP callers on this machine need no token.
    pub loopback_open: bool,
    /// Calls under way at one time.
    pub in_flight_max: usize,
}

/// What can be edited while the daemon runs.
pub struct Rules {
    /// `licence_tiers.yaml`.
    pub tiers: Tiers,
    /// `lic.key`, judged.
    pub licence: Licence,
}

/// Why the gateway could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Licence or tiers are not usable.
    #[error("{0}")]
    Rules(String),
    /// The state file is not usable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two services offer one method.
    #[error(transparent)]
    Shadowed(#[from] Shadowed),
}

/// The gateway as the rest of the process sees it.
#[derive(Clone)]
pub struct Gateway {
    gate: Gate,
    config: Arc<Config>,
    auth: Slot<auth::Message>,
    ledger: Slot<ledger::Message>,
}

impl Gateway {
    /// Makes the gateway from its settings and the state file. Blocks on the disk; nothing runs yet.
    ///
    /// # Errors
    /// When licence or tiers are not usable, or the state file cannot be read.
    pub fn new(config: Config, store: Store) -> Result<Self, SetupError> {
        let Rules { tiers, licence } = (config.load)().map_err(SetupError::Rules)?;
        auth::warn_about(&licence);
        let tokens = store.read_blocking(Tokens::read)?;
        let rates = store.read_blocking(ledger::read_rates)?;
        let policy = Policy {
            tiers: Arc::new(tiers),
            licence: Arc::new(licence),
            tokens: Arc::new(tokens),
            generation: 0,
        };
        let gate = Gate::new(policy, Routes::default(), store, config.in_flight_max);
        let now = Timestamp::now();
        for (caller, tier, left) in rates {
            gate.0.rates.load().restore(&caller, &tier, left, now);
        }
        let about = About {
            description: "Who you are, what you may call, and how to stop it.".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let own = methods::all(&gate);
        debug_assert!(own.iter().all(|entry| entry.run == Run::Inline), "nobody else would answer them");
        gate.routes().add("gateway", about, own, &Destination::Here)?;
        Ok(Self { gate, config: Arc::new(config), auth: Slot::vacant(), ledger: Slot::vacant() })
    }

    /// Adds a built-in service, before anything runs.
    ///
    /// # Errors
    /// When one of its methods exists already.
    pub fn add(
        &self,
        service: &str,
        description: &str,
        entries: Vec<Entry>,
        slot: &Slot<protocol::dispatch::Call>,
    ) -> Result<(), SetupError> {
        let about =
            About { description: description.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Ok(self.gate.routes().add(service, about, entries, &Destination::There(slot.clone()))?)
    }

    /// What the gateway's actors and methods share.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The gateway's actors under their supervisor.
    pub fn supervisor(&self) -> SupervisorSpec {
        let (gate, config) = (self.gate.clone(), Arc::clone(&self.config));
        let ledger = ChildSpec::worker("ledger", &self.ledger, move |context| {
            (ledger::Ledger, (gate.clone(), context.tasks()))
        });
        let gate = self.gate.clone();
        let auth = ChildSpec::worker("auth", &self.auth, move |context| {
            (auth::Auth, (gate.clone(), Arc::clone(&config), context.tasks()))
        });
        // A tree under fault injection loses an actor every few milliseconds; a healthy one never does.
        SupervisorSpec::new("gateway").intensity(5, Duration::from_mins(1)).child(ledger).child(auth)
    }
}

impl Dispatch for Gateway {
    fn identify(&self, who: Credentials) -> BoxFuture<'_, Result<Arc<Caller>, Error>> {
        if let Some(outcome) = auth::known(&self.gate, &self.config, &who) {
            return Box::pin(std::future::ready(outcome));
        }
        Box::pin(async move {
            match self.auth.call(|answer| auth::Message::Identify(who, answer), IDENTIFY_WITHIN).await {
                Ok(outcome) => outcome,
                Err(CallError::Unavailable | CallError::Died) => Err(Error::unavailable("gateway")),
                Err(CallError::TimedOut) => Err(Error::deadline(10_000)),
            }
        })
    }

    fn tools(&self, caller: &Arc<Caller>) -> Arc<Toolbox> {
        self.gate.tools_of(caller, Timestamp::now())
    }

    fn allowance(&self, caller: &Caller) -> Option<(u32, u32)> {
        let rates = self.gate.0.rates.load();
        let limit = rates.limit(&caller.tier)?;
        Some((limit, rates.remaining(&caller.tier, &caller.name, Timestamp::now())?))
    }

    fn offer_changed(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.gate.routes().changed().listen())
    }

    fn dispatch(&self, request: Incoming) {
        self.gate.take_in(std::iter::once(request));
    }

    fn dispatch_all(&self, requests: &mut Vec<Incoming>) {
        self.gate.take_in(requests.drain(..));
    }
}
