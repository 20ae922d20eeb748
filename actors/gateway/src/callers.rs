//! Callers that have been identified. One who comes again is the same value: over HTTP everybody comes again with every
//! request, and what is kept per caller (views, tools, rows of the audit trail) is found by that value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Caller, Way};

use crate::views::Edition;

/// Callers kept. A daemon with more of them makes some again.
const CALLERS_MAX: usize = 1024;

/// What tells one caller from another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The token's row.
    Token(i64, Way),
    Uid(u32),
    Loopback(Way),
}

/// Callers as they are under the policy of one edition. Whether they still stand is found out before they are looked
/// for here.
#[derive(Default)]
pub(crate) struct Callers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    edition: Edition,
    callers: HashMap<Kind, Arc<Caller>>,
}

impl Callers {
    /// The caller of this kind in this edition, made by `make` if nobody has yet.
    pub(crate) fn get(&self, edition: Edition, kind: Kind, make: impl FnOnce() -> Caller) -> Arc<Caller> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.edition != edition || kept.callers.len() >= CALLERS_MAX {
            *kept = Kept { edition, callers: HashMap::new() };
        }
        Arc::clone(kept.callers.entry(kind).or_insert_with(|| Arc::new(make())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_is_the_same_until_the_policy_is_another() {
        let callers = Callers::default();
        let caller = |way| Caller {
            name: "a".into(),
            tier: "FREE".into(),
            allow: None,
            way,
            token: Some(1),
            service: None,
            run: None,
        };
        let get = |policy, way| {
            let edition = Edition { policy, ..Edition::default() };
            callers.get(edition, Kind::Token(1, way), || caller(way))
        };
        let first = get(1, Way::Http);
        assert!(Arc::ptr_eq(&first, &get(1, Way::Http)));
        assert!(!Arc::ptr_eq(&first, &get(1, Way::Ws)));
        assert!(!Arc::ptr_eq(&first, &get(2, Way::Http)));
    }
}
