//! The options of a job: an allow-list with typed values. What is not here cannot be said, so no option can name a
//! program, a configuration, a file with rules, or a place of this machine.
//!
//! One table of flags reads the original's `rclone_args` into the same struct, and the struct is written once for
//! rclone's remote control and once for its command line.

mod flags;

#[cfg(test)]
mod tests;

use protocol::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::refusal::{refused, shown};
use crate::verb::Verb;

/// Longer than any rule that a person writes.
const RULE_MAX: usize = 1024;

/// What the file service keeps for itself is never copied, and never deleted.
const OURS: &[&str] = &["- .llmbasedos-*", "- .llmbasedos-*/**"];

/// Options of a job; all are those of rclone, by the same names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of rclone's, each by itself")]
pub(crate) struct Options {
    /// Patterns of files to take; with any, nothing else is taken. After `filter` and `exclude`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub(crate) include: Vec<String>,
    /// Patterns of files to leave out. After `filter`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub(crate) exclude: Vec<String>,
    /// Rules in their order: `+ pattern` takes, `- pattern` leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub(crate) filter: Vec<String>,
    /// Only files of at least so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000_000_000_u64))]
    pub(crate) min_size: Option<u64>,
    /// Only files of at most so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000_000_000_u64))]
    pub(crate) max_size: Option<u64>,
    /// Only files that are at least so many seconds old.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 10_000_000_000_u64))]
    pub(crate) min_age: Option<u64>,
    /// Only files that are at most so many seconds old.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 10_000_000_000_u64))]
    pub(crate) max_age: Option<u64>,
    /// Only so many folders deep; 1 is the files of the folder itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_depth: Option<u32>,
    /// At most so many bytes in a second. Such a job has a process of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 1_000_000_000_000_u64))]
    pub(crate) bwlimit: Option<u64>,
    /// Files that are transferred at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 32))]
    pub(crate) transfers: Option<u32>,
    /// Files that are compared at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub(crate) checkers: Option<u32>,
    /// Whether files are compared by checksum instead of by time.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) checksum: bool,
    /// Whether files are compared by size alone.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) size_only: bool,
    /// Whether files that are newer at the destination stay.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) update: bool,
    /// Whether all files that are at the destination stay.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) ignore_existing: bool,
    /// Nothing is done when more files than this would be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000_000_u64))]
    pub(crate) max_delete: Option<u64>,
    /// It ends after so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_u64))]
    pub(crate) max_transfer: Option<u64>,
    /// Where files go that are replaced or deleted at the destination: a folder beside it, in the same root or remote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_dir: Option<String>,
    /// What is added to the names of such files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suffix: Option<String>,
    /// Whether empty folders are made too.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) create_empty_src_dirs: bool,
    /// Whether a bisync begins anew from what both sides have, as its first run must; nothing is deleted.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) resync: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Options {
    /// What a schema cannot say.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let ranges = [
            ("max_depth", self.max_depth.map(u64::from), 1, 1000),
            ("bwlimit", self.bwlimit, 1024, 1_000_000_000_000),
            ("transfers", self.transfers.map(u64::from), 1, 32),
            ("checkers", self.checkers.map(u64::from), 1, 64),
            ("max_transfer", self.max_transfer, 1, 1_000_000_000_000_000),
        ];
        for (name, value, least, most) in ranges {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(Error::invalid_params(format!(
                    "{name} must be from {least} to {most}, not {value}"
                )));
            }
        }
        for (name, rules) in
            [("include", &self.include), ("exclude", &self.exclude), ("filter", &self.filter)]
        {
            if rules.len() > 200 {
                return Err(Error::invalid_params(format!("{name} takes at most 200 rules")));
            }
            for rule in rules {
                if rule.is_empty() || rule.len() > RULE_MAX || rule.chars().any(char::is_control) {
                    return Err(Error::invalid_params(format!(
                        "a rule of {name} must have 1 to {RULE_MAX} bytes and no control character"
                    )));
                }
                // `!` would forget the rules before it, ours among them.
                if name == "filter" && !rule.starts_with("+ ") && !rule.starts_with("- ") {
                    return Err(refused(
                        "bad_rule",
                        format!("The rule '{}' must begin with '+ ' or '- '.", shown(rule)),
                    ));
                }
            }
        }
        let plain = |c: char| c.is_alphanumeric() || "_-.+ ".contains(c);
        if let Some(suffix) = &self.suffix
            && (suffix.is_empty()
                || suffix.len() > 64
                || !suffix.chars().all(plain)
                || suffix.starts_with('-'))
        {
            return Err(refused(
                "bad_suffix",
                format!("The suffix '{}' must be letters, digits, '_', '-', '.' or '+'.", shown(suffix)),
            ));
        }
        Ok(())
    }

    /// The rules for files, ours first.
    fn rules(&self) -> Vec<String> {
        let ours = OURS.iter().map(|rule| (*rule).to_owned());
        let excluded = self.exclude.iter().map(|pattern| format!("- {pattern}"));
        let included = self.include.iter().map(|pattern| format!("+ {pattern}"));
        let nothing_else = (!self.include.is_empty()).then(|| "- *".to_owned());
        ours.chain(self.filter.iter().cloned()).chain(excluded).chain(included).chain(nothing_else).collect()
    }

    /// The number options by the names of rclone's command line; sizes are in bytes, ages in seconds.
    fn values(&self) -> Vec<(&'static str, &'static str, String)> {
        let mut values = Vec::new();
        let mut put =
            |flag, field, value: Option<String>| values.extend(value.map(|value| (flag, field, value)));
        let bytes = |value: Option<u64>| value.map(|value| format!("{value}B"));
        put("transfers", "Transfers", self.transfers.map(|n| n.to_string()));
        put("checkers", "Checkers", self.checkers.map(|n| n.to_string()));
        put("max-depth", "MaxDepth", self.max_depth.map(|n| n.to_string()));
        put("max-transfer", "MaxTransfer", bytes(self.max_transfer));
        put("suffix", "Suffix", self.suffix.clone());
        values
    }

    /// The sizes and ages of files, by flag and by field.
    fn limits(&self) -> Vec<(&'static str, &'static str, String)> {
        let mut values = Vec::new();
        let mut put = |flag, field, value: Option<u64>, unit: char| {
            values.extend(value.map(|value| (flag, field, format!("{value}{unit}"))));
        };
        put("min-size", "MinSize", self.min_size, 'B');
        put("max-size", "MaxSize", self.max_size, 'B');
        put("min-age", "MinAge", self.min_age, 's');
        put("max-age", "MaxAge", self.max_age, 's');
        values
    }

    fn switches(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            ("checksum", "CheckSum", self.checksum),
            ("size-only", "SizeOnly", self.size_only),
            ("update", "UpdateOlder", self.update),
            ("ignore-existing", "IgnoreExisting", self.ignore_existing),
        ]
    }

    /// `_config` and `_filter` of rclone's remote control. `backup` is where `backup_dir` is; `deletes_left` how many
    /// files may still be deleted.
    pub(crate) fn remote_control(&self, backup: Option<&str>, deletes_left: Option<u64>) -> (Value, Value) {
        let mut config = Map::new();
        for (_, field, value) in self.values() {
            let value = value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number));
            config.insert(field.to_owned(), value);
        }
        for (_, field, on) in self.switches() {
            config.insert(field.to_owned(), json!(on));
        }
        if let Some(backup) = backup {
            config.insert("BackupDir".to_owned(), json!(backup));
        }
        if let Some(left) = deletes_left {
            config.insert("MaxDelete".to_owned(), json!(left));
        }
        let mut filter = Map::new();
        filter.insert("FilterRule".to_owned(), json!(self.rules()));
        for (_, field, value) in self.limits() {
            filter.insert(field.to_owned(), json!(value));
        }
        (config.into(), filter.into())
    }

    /// The same as arguments. Every value is in one word with its flag, so none can be taken for a flag.
    pub(crate) fn arguments(&self, verb: Verb, backup: Option<&str>) -> Vec<String> {
        let mut arguments: Vec<String> = self.rules().iter().map(|rule| format!("--filter={rule}")).collect();
        arguments.extend(self.limits().iter().map(|(flag, _, value)| format!("--{flag}={value}")));
        arguments.extend(self.values().iter().map(|(flag, _, value)| format!("--{flag}={value}")));
        let on = self.switches().into_iter().filter(|(_, _, on)| *on);
        arguments.extend(on.map(|(flag, ..)| format!("--{flag}")));
        arguments.extend(backup.map(|backup| format!("--backup-dir={backup}")));
        arguments.extend(self.bwlimit.map(|bytes| format!("--bwlimit={bytes}B")));
        if self.create_empty_src_dirs && matches!(verb, Verb::Copy | Verb::Sync | Verb::Move) {
            arguments.push("--create-empty-src-dirs".to_owned());
        }
        if self.resync && verb == Verb::Bisync {
            arguments.push("--resync".to_owned());
        }
        if let Some(most) = self.max_delete.filter(|_| matches!(verb, Verb::Sync | Verb::Move)) {
            arguments.push(format!("--max-delete={most}"));
        }
        arguments
    }
}
