//! What can only be seen with every model together: who stands in for whom, and which is meant without a name.

use super::one::{One, key};
use super::{Kind, Models};
use crate::mistake::{Mistake, shorten};
use crate::nearest::nearest;
use crate::shape::Complaint;
use crate::yaml::Step;

/// Everything that is wrong between the models, with paths from the aliases on. `models` has every alias of the file.
pub(super) fn complaints(models: &[(String, Option<One>)]) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (alias, one) in models {
        let Some(one) = one else { continue };
        for (n, fallback) in one.model.fallbacks.iter().enumerate() {
            if let Some(message) = why_not(alias, one, fallback, models) {
                let path = vec![key(alias), key("fallbacks"), Step::Index(n)];
                found.push(Complaint { path, message });
            }
        }
    }
    for kind in [Kind::Chat, Kind::Embedding] {
        let all = models.iter().filter_map(|(alias, one)| Some((alias, one.as_ref()?)));
        let mut defaults = all.filter(|(_, one)| one.model.kind == kind && one.model.default);
        let Some((first, _)) = defaults.next() else { continue };
        for (alias, one) in defaults {
            let message = format!("`{}` is the default already; only one can be", shorten(first));
            let complaint = one.names.as_written(Complaint { path: vec![key("default")], message });
            found.push(complaint.below(key(alias)));
        }
    }
    found
}

/// Why `fallback` cannot stand in for `alias`.
fn why_not(alias: &str, one: &One, fallback: &str, models: &[(String, Option<One>)]) -> Option<String> {
    if fallback == alias {
        return Some("is the model itself".to_owned());
    }
    let shown = shorten(fallback);
    let Some((_, other)) = models.iter().find(|(other, _)| other == fallback) else {
        let near = nearest(fallback, models.iter().map(|(alias, _)| alias.as_str()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Some(format!("no model `{shown}` is in this file{hint}"));
    };
    let other = other.as_ref().filter(|other| other.sound && other.model.kind != one.model.kind)?;
    let (own, kind) = (one.model.kind.noun(), other.model.kind.noun());
    one.sound.then(|| format!("`{shown}` is for {kind} and cannot stand in for one that is for {own}"))
}

/// A warning for each kind that has several models and no default; `place` says where they are from.
pub(super) fn no_default<'a>(models: &'a Models, place: &'a Mistake) -> impl Iterator<Item = Mistake> + 'a {
    [Kind::Chat, Kind::Embedding].into_iter().filter_map(move |kind| {
        let count = models.iter().filter(|(_, model)| model.kind == kind).count();
        (count > 1 && models.default_of(kind).is_none()).then(|| {
            let noun = kind.noun();
            let message = format!(
                "{count} models are for {noun} and none is the default, so that every call must say which; \
                 `default: true` at one makes it the default"
            );
            Mistake { message, ..place.clone() }
        })
    })
}
