//! The flags of rclone's command line that are known, as the original's `rclone_args` has them.

use protocol::Error;

use super::Options;
use crate::refusal::{refused, shown};
use crate::verb::Verb;

/// What a flag's value is.
enum Kind {
    Switch(fn(&mut Options)),
    Text(fn(&mut Options, String)),
    Count(fn(&mut Options, u64)),
    Size(fn(&mut Options, u64)),
    Age(fn(&mut Options, u64)),
    /// Said by who wants to read the log, and true of every job anyway.
    Anyway,
}

/// The flags that are known.
const FLAGS: &[(&str, Kind)] = &[
    ("include", Kind::Text(|to, value| to.include.push(value))),
    ("exclude", Kind::Text(|to, value| to.exclude.push(value))),
    ("filter", Kind::Text(|to, value| to.filter.push(value))),
    ("min-size", Kind::Size(|to, value| to.min_size = Some(value))),
    ("max-size", Kind::Size(|to, value| to.max_size = Some(value))),
    ("min-age", Kind::Age(|to, value| to.min_age = Some(value))),
    ("max-age", Kind::Age(|to, value| to.max_age = Some(value))),
    ("max-depth", Kind::Count(|to, value| to.max_depth = Some(small(value)))),
    ("bwlimit", Kind::Size(|to, value| to.bwlimit = Some(value))),
    ("transfers", Kind::Count(|to, value| to.transfers = Some(small(value)))),
    ("checkers", Kind::Count(|to, value| to.checkers = Some(small(value)))),
    ("checksum", Kind::Switch(|to| to.checksum = true)),
    ("size-only", Kind::Switch(|to| to.size_only = true)),
    ("update", Kind::Switch(|to| to.update = true)),
    ("ignore-existing", Kind::Switch(|to| to.ignore_existing = true)),
    ("max-delete", Kind::Count(|to, value| to.max_delete = Some(value))),
    ("max-transfer", Kind::Size(|to, value| to.max_transfer = Some(value))),
    ("backup-dir", Kind::Text(|to, value| to.backup_dir = Some(value))),
    ("suffix", Kind::Text(|to, value| to.suffix = Some(value))),
    ("create-empty-src-dirs", Kind::Switch(|to| to.create_empty_src_dirs = true)),
    ("resync", Kind::Switch(|to| to.resync = true)),
    ("progress", Kind::Anyway),
    ("verbose", Kind::Anyway),
];

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Options {
    /// Reads the original's list: the verb, if it is first, and flags.
    pub(crate) fn from_arguments(arguments: &[String]) -> Result<(Option<Verb>, Self), Error> {
        let (mut options, mut rest) = (Self::default(), arguments.iter());
        let verb = arguments.first().filter(|first| !first.starts_with('-'));
        let verb = match verb {
            Some(word) => {
                rest.next();
                Some(Verb::of(word).ok_or_else(|| {
                    refused(
                        "unknown_verb",
                        format!("'{}' is no verb of a job: copy, sync, move, check or bisync.", shown(word)),
                    )
                })?)
            }
            None => None,
        };
        while let Some(argument) = rest.next() {
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let long = match name {
                "-v" | "-vv" => "verbose",
                "-P" => "progress",
                "-c" => "checksum",
                "-u" => "update",
                _ => name.strip_prefix("--").unwrap_or_default(),
            };
            let Some((_, kind)) = FLAGS.iter().find(|(flag, _)| *flag == long) else {
                let known: Vec<&str> = FLAGS.iter().map(|(flag, _)| *flag).collect();
                return Err(refused(
                    "argument_not_allowed",
                    format!(
                        "The argument '{}' is not accepted: known are --{}.",
                        shown(argument),
                        known.join(", --")
                    ),
                ));
            };
            let mut value = || {
                given
                    .clone()
                    .or_else(|| rest.next().cloned())
                    .ok_or_else(|| bad_value(long, "", "a value is missing"))
            };
            match kind {
                Kind::Anyway => {}
                Kind::Switch(set) => match given.as_deref() {
                    None | Some("true") => set(&mut options),
                    Some("false") => {}
                    Some(other) => return Err(bad_value(long, other, "it takes none")),
                },
                Kind::Text(set) => set(&mut options, value()?),
                Kind::Count(set) => {
                    let text = value()?;
                    let number = text.parse().map_err(|_| bad_value(long, &text, "it must be a number"))?;
                    set(&mut options, number);
                }
                Kind::Size(set) => {
                    let text = value()?;
                    let bytes =
                        size(&text).ok_or_else(|| bad_value(long, &text, "it must be a size such as 10M"))?;
                    set(&mut options, bytes);
                }
                Kind::Age(set) => {
                    let text = value()?;
                    let seconds =
                        age(&text).ok_or_else(|| bad_value(long, &text, "it must be an age such as 7d"))?;
                    set(&mut options, seconds);
                }
            }
        }
        Ok((verb, options))
    }
}

fn bad_value(flag: &str, value: &str, why: &str) -> Error {
    refused("bad_value", format!("The value '{}' of --{flag} is not accepted: {why}.", shown(value)))
}

/// A size in bytes, as rclone reads one: KiB without a unit.
fn size(text: &str) -> Option<u64> {
    let text = text.strip_suffix("iB").or_else(|| text.strip_suffix("i")).unwrap_or(text);
    let (number, factor) = match text.chars().last()? {
        'b' | 'B' => (&text[..text.len() - 1], 1),
        'k' | 'K' => (&text[..text.len() - 1], 1 << 10),
        'm' | 'M' => (&text[..text.len() - 1], 1 << 20),
        'g' | 'G' => (&text[..text.len() - 1], 1 << 30),
        't' | 'T' => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1_u64 << 10),
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes <= 1_000_000_000_000_000)
}

/// An age in seconds: a number and one of `s`, `m`, `h`, `d`, `w`, `M`, `y`.
fn age(text: &str) -> Option<u64> {
    const DAY: u64 = 86_400;
    let factor = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => DAY,
        'w' => 7 * DAY,
        'M' => 30 * DAY,
        'y' => 365 * DAY,
        _ => return text.parse().ok(),
    };
    text[..text.len() - 1]
        .parse::<u64>()
        .ok()?
        .checked_mul(factor)
        .filter(|seconds| *seconds <= 10_000_000_000)
}
