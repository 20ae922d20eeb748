//! The shipped licence tiers allow what the methods declare, and nothing else.

use cluster_config::Tiers;
use protocol::Tier;

use crate::{catalog, none};

#[test]
fn the_shipped_tiers_agree_with_what_methods_declare() {
    let shipped = Tiers::default();
    let mut wrong = Vec::new();
    for tier in [Tier::Free, Tier::Pro, Tier::Elite] {
        let covers = shipped.get(tier.name()).expect("a tier of that name is shipped");
        for entry in catalog().iter() {
            let (allowed, declared) = (covers.covers(&entry.name), tier >= entry.tier);
            if allowed != declared {
                let verb = if allowed { "allows" } else { "withholds" };
                let name = tier.name();
                wrong.push(format!("{name} {verb} {}, which is {}", entry.name, entry.tier.name()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_tier_that_methods_know_is_shipped_and_no_other() {
    let shipped = Tiers::default();
    let names: Vec<_> = shipped.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ELITE", "FREE", "PRO"]);
}
