//! What a job would do, by rclone's own dry run in a process that can change no root.
//!
//! A plan is known by a fingerprint of all its changes, whatever their order. It is run only when a second dry run, right
//! before, has the same one: then what is done is what somebody saw.

use std::collections::BTreeMap;

use protocol::Error;

use crate::job::Task;
use crate::progress::Stats;
use crate::rclone::{Change, Line, Once, Reach};
use crate::refusal;
use crate::service::Sync;
use crate::verb::Verb;

/// How long a plan can be used. Within an hour one still knows what one saw.
pub(crate) const PLAN_KEPT_MS: i64 = 3_600_000;

/// What a job would do.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// How many changes there are of each kind, by rclone's words.
    pub(crate) actions: BTreeMap<String, u64>,
    /// Bytes that would be transferred.
    pub(crate) bytes: u64,
    /// Files that would be deleted, at the source of a move too.
    pub(crate) deletes: u64,
    /// The first changes.
    pub(crate) changes: Vec<Change>,
    /// Files that were compared.
    pub(crate) checks: u64,
    sum: u128,
}

impl Planned {
    /// All changes.
    pub(crate) fn count(&self) -> u64 {
        self.actions.values().sum()
    }

    /// What it is known by.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:032x}-{}", self.sum, self.count())
    }

    fn add(&mut self, change: Change, verb: Verb, shown: usize) {
        // A sum, because rclone compares several files at once and tells them in any order.
        let text = format!("{}\0{}\0{}", change.action, change.path, change.size);
        let hash = blake3::hash(text.as_bytes());
        let (half, _) = hash.as_bytes().split_at(16);
        self.sum = self.sum.wrapping_add(half.iter().fold(0, |sum, byte| (sum << 8) | u128::from(*byte)));
        if change.action.starts_with("delete") || (verb == Verb::Move && change.action.starts_with("move")) {
            self.deletes += 1;
        }
        *self.actions.entry(change.action.clone()).or_default() += 1;
        if self.changes.len() < shown {
            self.changes.push(change);
        }
    }

    /// Refuses a task that would delete more than it may.
    pub(crate) fn check_deletes(&self, task: &Task) -> Result<(), Error> {
        match task.options.max_delete.filter(|most| self.deletes > *most) {
            None => Ok(()),
            Some(most) => Err(refusal::refused(
                "max_delete",
                format!(
                    "It would delete {} files, and max_delete is {most}: nothing was done. Look at the plan, and raise \
                     max_delete if it is right.",
                    self.deletes
                ),
            )),
        }
    }
}

/// Makes the dry run. `shown` is how many changes are kept.
pub(crate) async fn plan(
    service: &Sync,
    tier: &str,
    task: &Task,
    shown: usize,
    told: impl Fn(&Planned),
) -> Result<Planned, Error> {
    if task.verb == Verb::Check {
        return Err(Error::invalid_params("a check changes nothing, so there is nothing to plan: run it"));
    }
    let sides = service.resolve(tier, task).await?;
    let _turn = service.may_look().await?;
    let mut words = vec![task.verb.word().to_owned(), "--dry-run".to_owned()];
    let mut options = task.options.clone();
    // It would end the dry run before all is told.
    (options.max_delete, options.bwlimit) = (None, None);
    words.extend(options.arguments(task.verb, sides.backup.as_deref()));
    if task.verb == Verb::Bisync {
        words.push(format!("--workdir={}", service.place().home.join("bisync").display()));
    }
    let both = [sides.source.clone(), sides.destination.clone()];
    let mut once = Once::start(service.place().clone(), words, both, Reach::Nothing).await?;
    let (mut planned, mut last, mut error) = (Planned::default(), Stats::default(), String::new());
    while let Some(line) = once.next().await {
        match line {
            Line::Stats(stats) => {
                last = *stats;
                told(&planned);
            }
            Line::Change(change) => planned.add(change, task.verb, shown),
            Line::Error(said) => error = said,
            Line::Said(_) => {}
        }
    }
    let code = once.process.ended().await.and_then(crate::rclone::Ended::code);
    if code != Some(0) {
        let why = if error.is_empty() {
            "rclone does not say why".to_owned()
        } else {
            service.public(&error, &sides)
        };
        return Err(refusal::failed("dry_run_failed", format!("The dry run failed: {why}")));
    }
    planned.bytes = u64::try_from(last.bytes.max(last.total_bytes)).unwrap_or(0);
    planned.checks = u64::try_from(last.checks).unwrap_or(0);
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(changes: &[(&str, &str, u64)]) -> Planned {
        let mut planned = Planned::default();
        for (action, path, size) in changes {
            let change = Change { action: (*action).to_owned(), path: (*path).to_owned(), size: *size };
            planned.add(change, Verb::Sync, 2);
        }
        planned
    }

    #[test]
    fn a_plan_is_known_by_its_changes_in_any_order() {
        let one = planned(&[("copy", "a", 1), ("delete", "b", 2), ("copy", "c", 3)]);
        let same = planned(&[("copy", "c", 3), ("copy", "a", 1), ("delete", "b", 2)]);
        assert_eq!(
            (one.fingerprint(), one.deletes, one.count(), one.changes.len()),
            (same.fingerprint(), 1, 3, 2)
        );
        for other in [
            &[("copy", "a", 1), ("delete", "b", 2)][..],
            &[("copy", "a", 1), ("delete", "b", 2), ("copy", "c", 4)],
            &[("delete", "a", 1), ("delete", "b", 2), ("copy", "c", 3)],
            &[("copy", "a", 1), ("copy", "a", 1), ("delete", "b", 2), ("copy", "c", 3)],
        ] {
            assert_ne!(planned(other).fingerprint(), one.fingerprint(), "{other:?}");
        }
    }
}
