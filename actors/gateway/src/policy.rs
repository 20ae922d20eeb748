//! Decides whether a caller may call a method. Pure: the clock is an argument, nothing is counted here.
//!
//! Rights only ever narrow: the instance licence is the ceiling, a caller's own tier and a token's patterns take
//! away from it, never add. Licence, tiers and tokens are read at every call, so that an expired licence and a
//! revoked token stop working on connections that are open.

use std::sync::Arc;

use cluster_config::Tiers;
use jiff::Timestamp;
use protocol::{Caller, Code, Entry, Error, Tier};
use serde_json::json;

use crate::licence::Licence;
use crate::token::Tokens;

/// The service of hello, listCapabilities, licence.check and cancel.
pub(crate) const GATEWAY: &str = "gateway";

/// Everything a decision is made from: one immutable value, replaced whole.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `licence_tiers.yaml`.
    pub tiers: Arc<Tiers>,
    /// `lic.key`.
    pub licence: Arc<Licence>,
    /// The tokens in the state file.
    pub tokens: Arc<Tokens>,
    /// Counts up with every change, so that what is computed from a policy can be kept as long as it stands.
    pub generation: u64,
}

impl Policy {
    /// The tier over everybody at `now`, by name.
    pub fn ceiling(&self, now: Timestamp) -> &str {
        self.licence.tier_at(now)
    }

    /// The rules of a tier by name; those of FREE where no tier has that name (any more).
    pub fn tier(&self, name: &str) -> &cluster_config::Tier {
        self.tiers.get(name).unwrap_or_else(|| self.tiers.free())
    }

    /// The tier that `caller` has at `now`: the licence's, or a lower one that its token names. What the caller
    /// was let in with may be out of date, since licences end and are edited while connections stay open.
    pub fn tier_of(&self, caller: &Caller, now: Timestamp) -> &str {
        let ceiling = self.ceiling(now);
        let token = caller.token.and_then(|id| self.tokens.standing(id, now));
        match token.and_then(|token| token.tier.as_deref()) {
            Some(own) if !is_above(own, ceiling) => own,
            _ => ceiling,
        }
    }

    /// Why the licence grants less than it says, if it does.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let expired = || self.licence.expired_at(now).then(|| "expired: everybody is on FREE".to_owned());
        self.licence.warning.clone().or_else(expired)
    }

    /// Whether `caller` may see and call `method` of `service`.
    pub fn permits(&self, caller: &Caller, service: &str, method: &str, now: Timestamp) -> bool {
        let own_socket = caller.service.as_deref().is_none_or(|only| only == service);
        let ceiling = self.ceiling(now);
        // Whoever was let in may ask what it may do, and stop what it has begun; only a deny list takes that away.
        let own = service == GATEWAY;
        let covers = |tier: &cluster_config::Tier| {
            tier.covers(method)
                || (own && !tier.denied_capabilities.iter().any(|denied| denied.covers(method)))
        };
        own_socket
            && covers(self.tier(ceiling))
            && (caller.tier == ceiling || covers(self.tier(&caller.tier)))
            && (own
                || caller
                    .allow
                    .as_ref()
                    .is_none_or(|allow| allow.iter().any(|pattern| pattern.covers(method))))
    }

    /// Refuses a call that the caller may not make.
    ///
    /// # Errors
    /// -32000 when the caller's token no longer stands, -32002 when tier or token do not cover the method.
    pub fn admit(&self, caller: &Caller, entry: &Entry, now: Timestamp) -> Result<(), Error> {
        if let Some(id) = caller.token
            && self.tokens.standing(id, now).is_none()
        {
            return Err(Error::new(
                Code::Authentication,
                format!("Token '{}' has expired or was revoked. Ask the owner for a new one.", caller.name),
            ));
        }
        if self.permits(caller, &entry.service, &entry.name, now) {
            return Ok(());
        }
        let ceiling = self.ceiling(now);
        let (who, advice) = if caller.service.as_deref().is_some_and(|only| only != entry.service) {
            ("this socket".to_owned(), "Use the gateway's socket.")
        } else if !self.tier(ceiling).covers(&entry.name) {
            (format!("licence tier {ceiling}"), "See mcp.licence.check.")
        } else if !self.tier(&caller.tier).covers(&entry.name) {
            (format!("tier {}", caller.tier), "Ask the owner for a token of a higher tier.")
        } else {
            (format!("token '{}'", caller.name), "Ask the owner for a token that allows it.")
        };
        Err(Error::new(
            Code::PermissionDenied,
            format!("'{}' is not allowed for {who}. {advice}", entry.name),
        )
        .with_data(json!({ "method": entry.name, "tier": caller.tier, "licence_tier": ceiling })))
    }
}

/// Whether the tier `one` is above `other`; only the shipped ones have an order.
fn is_above(one: &str, other: &str) -> bool {
    let rank = |name: &str| [Tier::Free, Tier::Pro, Tier::Elite].iter().position(|tier| tier.name() == name);
    matches!((rank(one), rank(other)), (Some(one), Some(other)) if one > other)
}

#[cfg(test)]
mod tests {
    use protocol::{Pattern, Way};

    use super::*;

    const NOW: &str = "2026-06-01T00:00:00Z";

    fn permits(licence: &str, tier: &str, allow: Option<&str>, service: Option<&str>, method: &str) -> bool {
        let tiers = Tiers::default();
        let licence = Licence::judge(licence, |name| tiers.get(name).is_some(), None);
        let policy = Policy {
            tiers: Arc::new(tiers),
            licence: Arc::new(licence),
            tokens: Arc::default(),
            generation: 0,
        };
        let caller = Caller {
            name: "t".into(),
            tier: tier.into(),
            allow: allow.map(|text| vec![text.parse::<Pattern>().unwrap()]),
            way: Way::Ws,
            token: None,
            service: service.map(Into::into),
            run: None,
        };
        let of = method.split('.').nth(1).unwrap();
        policy.permits(&caller, of, method, NOW.parse().unwrap())
    }

    #[test]
    fn rights_only_narrow() {
        let elite = "ELITE:o:2027-01-01";
        assert!(permits(elite, "ELITE", None, None, "mcp.admin.tree"));
        assert!(!permits(elite, "PRO", None, None, "mcp.admin.tree"), "a token narrows the licence");
        assert!(!permits("PRO:o:2027-01-01", "ELITE", None, None, "mcp.admin.tree"), "and never widens it");
        assert!(!permits("ELITE:o:2026-05-31", "ELITE", None, None, "mcp.fs.write"), "expired is FREE");
        assert!(permits("", "ELITE", None, None, "mcp.fs.list"));
        assert!(!permits("", "ELITE", None, None, "mcp.fs.read"));
        assert!(!permits(elite, "ELITE", Some("mcp.fs.*"), None, "mcp.admin.tree"));
        assert!(permits(elite, "ELITE", Some("mcp.fs.*"), None, "mcp.fs.write"));
        assert!(
            permits(elite, "ELITE", Some("mcp.fs.*"), None, "mcp.gateway.own"),
            "what it may do, it may ask"
        );
        assert!(!permits(elite, "GOLD", None, None, "mcp.fs.write"), "a tier that is gone is FREE");
        assert!(!permits(elite, "ELITE", None, Some("fs"), "mcp.admin.tree"), "a service's own socket");
    }
}
