//! `mcp.fs.edit`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::change::Status;
use crate::draft::{self, Draft, Onto};
use crate::etag::{self, Condition};
use crate::fault::{Fault, What};
use crate::files::{Parent, Regular};
use crate::path::{ClientPath, VirtualPath};
use crate::service::Fs;

/// A diff is for reading; a rewrite of two huge files gets a coarse one rather than a late one.
const DIFF_TIME: Duration = Duration::from_secs(1);

/// Changes parts of a text file: replaces exact pieces of text by others and shows what changed as a unified diff.
///
/// Each `old` must be found exactly once, character by character, spaces and line ends included; give enough of
/// its surroundings, or set `all`. Edits apply one after the other, each to what the ones before have left, and
/// either all of them happen or none. With `dry_run` nothing is written and the diff shows what would be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The file, from the virtual root.
    path: ClientPath,
    /// What to replace by what.
    #[schemars(length(min = 1, max = 1000))]
    edits: Vec<Replacement>,
    /// Whether only to show what would change.
    #[serde(default)]
    dry_run: bool,
    /// Edit only if the file's etag is this one; null or empty: whatever it is.
    #[serde(default)]
    if_match: Option<String>,
}

/// One piece of text to replace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    /// The text that is there, exactly.
    #[schemars(length(min = 1))]
    old: String,
    /// The text to put in its place; empty to remove it.
    new: String,
    /// Whether to replace every occurrence instead of the only one.
    #[serde(default)]
    all: bool,
}

/// What changed, or would change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Edited {
    /// The path.
    path: String,
    /// Always `success`.
    status: Status,
    /// The change as a unified diff.
    diff: String,
    /// Whether the diff was cut because it was too long for one answer.
    diff_truncated: bool,
    /// How many pieces were replaced.
    replacements: usize,
    /// Whether the file was changed.
    written: bool,
    /// Etag of the file with the change in it.
    etag: String,
}

impl Method for Edit {
    const NAME: &'static str = "mcp.fs.edit";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Blocking;

    type Reply = Edited;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Edited, Error> {
        Ok(self.edit(context, fs)?)
    }
}

// === impl Edit ===

impl Edit {
    fn edit(self, context: &Context, fs: &Fs) -> Result<Edited, Fault> {
        let place = if self.dry_run {
            fs.place(context, &self.path)?
        } else {
            fs.place_to_change(context, &self.path)?
        };
        let parent = Parent::open(&place)?;
        let (dir, name) = parent.key();
        let _held = fs.hold(dir, name);
        let found = parent.look_at_something()?;
        draft::replaceable(&parent, &found)?;
        let file = Regular::open_child(&parent.dir, name, parent.path)?;
        let limit = fs.limits().write_bytes;
        let old = file.read_whole(limit, parent.path)?;
        let condition = Condition::parse(self.if_match.as_deref());
        if condition != Condition::Something {
            condition.compare(Some(etag::of_bytes(&old)), parent.path)?;
        }
        let old = String::from_utf8(old).map_err(|_| Fault::new(What::NotText, parent.path))?;
        let (new, replacements) = apply(&old, &self.edits, parent.path, limit)?;
        Fault::unless_cancelled(&context.cancel)?;
        let written = !self.dry_run && new != old;
        if written {
            let mut draft = Draft::begin(&parent, Some(&found))?;
            draft.write(new.as_bytes())?;
            draft.publish(Onto::Anything)?;
        }
        let (diff, diff_truncated) = diff(&old, &new, parent.path, fs.limits().read_bytes);
        Ok(Edited {
            path: place.path.to_string(),
            status: Status::Success,
            diff,
            diff_truncated,
            replacements,
            written,
            etag: etag::of_bytes(new.as_bytes()),
        })
    }
}

/// The text with all edits in it, and how many pieces were replaced.
fn apply(old: &str, edits: &[Replacement], path: &VirtualPath, limit: u64) -> Result<(String, usize), Fault> {
    let mut text = old.to_owned();
    let mut replacements = 0;
    for (index, edit) in edits.iter().enumerate() {
        let found = text.matches(edit.old.as_str()).count();
        match found {
            0 => return Err(no_match(&text, edit, index, path)),
            1 => {}
            _ if edit.all => {}
            _ => {
                return Err(Fault::NoMatch {
                    path: path.to_string(),
                    edit: index,
                    found,
                    advice: "Give more of the text around it, or set all=true.",
                });
            }
        }
        let growth = edit.new.len().saturating_sub(edit.old.len()).saturating_mul(found);
        if text.len().saturating_add(growth) as u64 > limit {
            return Err(Fault::TooLarge {
                what: format!("'{path}' with these edits"),
                limit,
                unit: "bytes",
                advice: "Nothing was changed.",
            });
        }
        text = text.replace(edit.old.as_str(), &edit.new);
        replacements += found;
    }
    Ok((text, replacements))
}

fn no_match(text: &str, edit: &Replacement, index: usize, path: &VirtualPath) -> Fault {
    let unix = |text: &str| text.replace("\r\n", "\n");
    let advice = if text.contains("\r\n") && unix(text).contains(&unix(&edit.old)) {
        "The file's lines end with \\r\\n: write them so in `old` and `new`."
    } else {
        "It must match exactly, spaces and line ends included: read the file again."
    };
    Fault::NoMatch { path: path.to_string(), edit: index, found: 0, advice }
}

fn diff(old: &str, new: &str, path: &VirtualPath, limit: u64) -> (String, bool) {
    let header = path.as_str().trim_start_matches('/');
    let mut text = TextDiff::configure()
        .timeout(DIFF_TIME)
        .diff_lines(old, new)
        .unified_diff()
        .header(&format!("a/{header}"), &format!("b/{header}"))
        .to_string();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let cut = text.len() > limit;
    if cut {
        text.truncate(text.floor_char_boundary(limit));
    }
    (text, cut)
}
