//! `mcp.fs.find`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::Kind;
use crate::cursor;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::path::ClientPath;
use crate::pattern::Pattern;
use crate::remove::DEPTH_MAX;
use crate::service::Fs;
use crate::walk::{self, Next, Plan};

/// Finds files and directories below a directory by name.
///
/// A pattern without a slash is compared with names (`*.pdf`), one with a slash with paths from the directory on
/// (`reports/**/*.pdf`): `*` is anything but a slash, `**/` any directories, `?` one character, `[a-z]` one of
/// those, `{a,b}` either. Results come in the order of their paths; links are never followed. When `next_cursor`
/// is not null there may be more, even if this page is short: one call looks at a bounded number of files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Find {
    /// Where to look, from the virtual root.
    path: ClientPath,
    /// What to look for: `*.pdf`, `**/2024/*`.
    pattern: String,
    /// Only things of this type.
    #[serde(default)]
    r#type: Option<Kind>,
    /// How many results one answer has at most; 0 is as many as the server allows.
    #[serde(default)]
    limit: usize,
    /// `next_cursor` of the answer before, with the same `path` and `pattern`.
    #[serde(default)]
    cursor: Option<String>,
    /// Whether to look at names that begin with a dot.
    #[serde(default)]
    hidden: bool,
    /// Whether upper and lower case are the same.
    #[serde(default)]
    ignore_case: bool,
    /// Whether to leave out what `.gitignore` files exclude.
    #[serde(default)]
    gitignore: bool,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// What matches, in the order of the paths.
    entries: Vec<Entry>,
    /// Give this as `cursor` to go on; null when everything has been looked at.
    next_cursor: Option<String>,
    /// How many directories could not be looked into.
    unreadable: u64,
}

impl Method for Find {
    const NAME: &'static str = "mcp.fs.find";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Found;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Found, Error> {
        Ok(self.find(context, fs)?)
    }
}

// === impl Find ===

impl Find {
    fn find(self, context: &Context, fs: &Fs) -> Result<Found, Fault> {
        let pattern = Pattern::parse("pattern", &self.pattern, self.ignore_case)?;
        let plan = Plan {
            hidden: self.hidden,
            gitignore: self.gitignore,
            depth: DEPTH_MAX,
            after: cursor::read(self.cursor.as_deref())?,
            inclusive: false,
        };
        let allowed = fs.limits().entries;
        let limit = if self.limit == 0 { allowed } else { self.limit.min(allowed) };
        let mut entries = Vec::new();
        let walked = walk::walk(fs, context, &self.path, &plan, |step| {
            let wanted = self.r#type.is_none_or(|kind| kind == step.name.kind) && pattern.covers(step);
            if wanted && let Some(attributes) = step.look() {
                entries.push(Entry::of(step.path, &attributes));
            }
            Ok(if entries.len() == limit { Next::Stop } else { Next::On })
        })?;
        let next_cursor = walked.stopped_at.as_ref().map(cursor::write);
        Ok(Found { entries, next_cursor, unreadable: walked.unreadable })
    }
}
