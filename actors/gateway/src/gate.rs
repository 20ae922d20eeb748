//! What the gateway's actors and methods share: immutable values that are replaced whole, and counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use protocol::mcp::Toolbox;
use protocol::{Caller, Way};
use store::Store;

use crate::audit::Audit;
use crate::callers::Callers;
use crate::policy::Policy;
use crate::rate::Rates;
use crate::routes::Routes;
use crate::views::{Edition, Toolboxes, Views};

/// The gateway's shared state, as its own methods get it.
#[derive(Clone)]
pub struct Gate(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) rates: ArcSwap<Rates>,
    pub(crate) routes: Routes,
    pub(crate) audit: Arc<Audit>,
    pub(crate) callers: Callers,
    pub(crate) views: Views,
    pub(crate) toolboxes: Toolboxes,
    pub(crate) store: Store,
    pub(crate) in_flight_max: usize,
    requests: AtomicU64,
}

impl Gate {
    pub(crate) fn new(policy: Policy, routes: Routes, store: Store, in_flight_max: usize) -> Self {
        // Starts at the time of day, so that ids in a log that spans restarts do not repeat.
        let seconds = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let rates = Rates::new(&policy.tiers);
        Self(Arc::new(Shared {
            rates: ArcSwap::from_pointee(rates),
            policy: ArcSwap::from_pointee(policy),
            routes,
            audit: Arc::default(),
            callers: Callers::default(),
            views: Views::default(),
            toolboxes: Toolboxes::default(),
            store,
            in_flight_max,
            requests: AtomicU64::new(seconds << 24),
        }))
    }

    /// The first of so many numbers that no other request has.
    pub(crate) fn next_request_ids(&self, count: u64) -> u64 {
        self.0.requests.fetch_add(count, Ordering::Relaxed)
    }

    /// The names of all methods that `caller` may call now, sorted.
    pub(crate) fn methods_of(&self, caller: &Caller, now: Timestamp) -> Vec<String> {
        let policy = self.0.policy.load();
        let table = self.0.routes.load();
        let permitted =
            table.catalog.iter().filter(|entry| policy.permits(caller, &entry.service, &entry.name, now));
        permitted.map(|entry| entry.name.clone()).collect()
    }

    /// The tools that `caller` may call now.
    pub(crate) fn tools_of(&self, caller: &Arc<Caller>, now: Timestamp) -> Arc<Toolbox> {
        // Time alone can end a token, which no edition tells: it is looked at before what is kept.
        if caller.token.is_some_and(|id| self.0.policy.load().tokens.standing(id, now).is_none()) {
            return Arc::default();
        }
        self.0.toolboxes.get(self.edition(now), caller, || {
            let policy = self.0.policy.load();
            let caller = Caller { tier: policy.tier_of(caller, now).to_owned(), ..Caller::clone(caller) };
            let table = self.0.routes.load();
            let routes = table.routes().filter(|route| {
                route.entry.tool && policy.permits(&caller, &route.entry.service, &route.entry.name, now)
            });
            Toolbox::new(routes.map(|route| Arc::clone(route.tool())))
        })
    }

    /// What answers that are kept depend on.
    pub(crate) fn edition(&self, now: Timestamp) -> Edition {
        let policy = self.0.policy.load();
        Edition {
            policy: policy.generation,
            routes: self.0.routes.load().generation,
            expired: policy.licence.expired_at(now),
        }
    }

    /// Puts another policy in force. Tiers that stayed as they were keep their counts.
    pub(crate) fn enforce(&self, policy: Policy) {
        let old = self.0.policy.load_full();
        if *old.tiers != *policy.tiers {
            let rates = Rates::new(&policy.tiers);
            let now = Timestamp::now();
            for (caller, tier, left) in self.0.rates.load().snapshot() {
                if old.tiers.get(&tier) == policy.tiers.get(&tier) {
                    rates.restore(&caller, &tier, left, now);
                }
            }
            self.0.rates.store(Arc::new(rates));
        }
        self.0.policy.store(Arc::new(Policy { generation: old.generation + 1, ..policy }));
        self.0.routes.changed().notify(usize::MAX);
    }

    /// The tier of this name as it is in force now; FREE when there is none.
    pub fn tier(&self, name: &str) -> cluster_config::Tier {
        self.0.policy.load().tier(name).clone()
    }

    /// A caller for what nobody has called: the token of this name, or, without a name, the owner, whose user id this is.
    /// None when there is no such token any more.
    pub fn owner(&self, token: &str, uid: u32) -> Option<Caller> {
        let (policy, now) = (self.0.policy.load(), Timestamp::now());
        let ceiling = || policy.ceiling(now).to_owned();
        let (way, service, run) = (Way::Internal, None, None);
        if token.is_empty() {
            let name = format!("uid:{uid}");
            return Some(Caller { name, tier: ceiling(), allow: None, way, token: None, service, run });
        }
        let token = policy.tokens.named(token, now)?;
        let tier = token.tier.clone().unwrap_or_else(ceiling);
        let (name, allow) = (token.name.clone(), token.allow.clone());
        Some(Caller { name, tier, allow, way, token: Some(token.id), service, run })
    }

    /// Totals of all calls since the start.
    pub fn totals(&self) -> crate::audit::Totals {
        self.0.audit.totals()
    }

    /// The routes, for backends that come and go.
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }
}
