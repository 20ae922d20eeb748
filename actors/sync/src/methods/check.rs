//! `mcp.sync.check`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::LOOKS;
use crate::job::Task;
use crate::options::Options;
use crate::rclone::{Line, Once, Reach};
use crate::refusal::failed;
use crate::service::Sync;
use crate::verb::Verb;

/// Compares two folders, and says which files differ and which one side lacks. Changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// A folder: `/folder` from the virtual root, or `remote:folder`.
    source: String,
    /// Another one.
    destination: String,
    /// Which files, and how they are compared.
    #[serde(default)]
    options: Options,
    /// How many differences are shown.
    #[serde(default = "hundred")]
    #[schemars(range(max = 10_000))]
    limit: usize,
}

fn hundred() -> usize {
    100
}

/// What was found.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// Files that are the same on both sides.
    same: u64,
    /// Files that differ.
    differ: u64,
    /// Files that the source lacks.
    missing_on_source: u64,
    /// Files that the destination lacks.
    missing_on_destination: u64,
    /// Files that could not be compared.
    errors: u64,
    /// The first differences.
    differences: Vec<Difference>,
}

/// A difference.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// The path below both folders.
    path: String,
    /// What is with it.
    what: What,
}

/// What is with a file.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// It differs.
    Differs,
    /// The source lacks it.
    MissingOnSource,
    /// The destination lacks it.
    MissingOnDestination,
    /// It could not be compared.
    Error,
}

impl Method for Check {
    const NAME: &'static str = "mcp.sync.check";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// A large folder without checksums on one side is read as a whole.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24));

    type Reply = Checked;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Checked, Error> {
        self.options.check()?;
        let task = Task {
            verb: Verb::Check,
            source: self.source,
            destination: self.destination,
            options: self.options,
        };
        let sides = sync.resolve(&context.caller.tier, &task).await?;
        let _turn = sync.may_look().await?;
        let mut words = vec!["check".to_owned(), "--combined=-".to_owned()];
        words.extend(task.options.arguments(Verb::Check, None));
        let both = [sides.source.clone(), sides.destination.clone()];
        let mut once = Once::start(sync.place().clone(), words, both, Reach::Nothing).await?;
        let (mut checked, mut error) = (Checked::default(), String::new());
        while let Some(line) = once.next().await {
            match line {
                Line::Stats(stats) => context.progress(&json!({ "checks": stats.checks })),
                Line::Error(said) | Line::Said(said) => error = said,
                Line::Change(change) => {
                    let (count, what) = match change.action.as_str() {
                        "=" => {
                            checked.same += 1;
                            continue;
                        }
                        "*" => (&mut checked.differ, What::Differs),
                        "-" => (&mut checked.missing_on_source, What::MissingOnSource),
                        "+" => (&mut checked.missing_on_destination, What::MissingOnDestination),
                        _ => (&mut checked.errors, What::Error),
                    };
                    *count += 1;
                    if checked.differences.len() < self.limit {
                        checked.differences.push(Difference { path: change.path, what });
                    }
                }
            }
        }
        let code = once.process.ended().await.and_then(crate::rclone::Ended::code);
        let found =
            checked.differ + checked.missing_on_source + checked.missing_on_destination + checked.errors;
        if code == Some(0) || (code == Some(1) && found > 0) {
            Ok(checked)
        } else {
            Err(failed("check_failed", format!("The comparison failed: {}", sync.public(&error, &sides))))
        }
    }
}
