//! `mcp.fs.grep`.

use grep_regex::RegexMatcher;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::Kind;
use crate::cursor;
use crate::fault::{Fault, What};
use crate::files::{self, Regular};
use crate::lines::{self, Match, Matches};
use crate::path::{ClientPath, VirtualPath};
use crate::pattern::Pattern;
use crate::remove::DEPTH_MAX;
use crate::service::Fs;
use crate::walk::{self, Next, Plan};

/// Searches the content of files for lines that match a regular expression.
///
/// `path` is a directory, of which everything below is searched, or one file. Binary files, and unless asked for
/// otherwise hidden files and what `.gitignore` files exclude, are left out; links are never followed. Very long
/// lines are shortened. When `next_cursor` is not null there may be more, even if this page is short: one call
/// looks at a bounded number of files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter with a name of its own")]
pub(crate) struct Grep {
    /// Where to look, from the virtual root.
    path: ClientPath,
    /// A regular expression in Rust's syntax (no look-around, no back-references).
    pattern: String,
    /// Only files with such names (`*.rs`) or, with a slash, such paths (`src/**/*.rs`).
    #[serde(default)]
    glob: Option<String>,
    /// Whether upper and lower case are the same.
    #[serde(default)]
    ignore_case: bool,
    /// How many lines before and after each match to show.
    #[serde(default)]
    #[schemars(range(min = 0, max = 20))]
    context: usize,
    /// How many matches one answer has at most; 0 is as many as the server allows.
    #[serde(default = "hundred")]
    limit: usize,
    /// `next_cursor` of the answer before, with the same other parameters.
    #[serde(default)]
    cursor: Option<String>,
    /// Whether `pattern` is plain text instead of a regular expression.
    #[serde(default)]
    literal: bool,
    /// Whether to search names that begin with a dot.
    #[serde(default)]
    hidden: bool,
    /// Whether to leave out what `.gitignore` files exclude.
    #[serde(default = "yes")]
    gitignore: bool,
}

/// The lines that match.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Grepped {
    /// The matches, in the order of paths and lines.
    matches: Vec<Match>,
    /// How many files were searched.
    files_searched: u64,
    /// Give this as `cursor` to go on; null when everything has been searched.
    next_cursor: Option<String>,
    /// How many files and directories could not be read.
    unreadable: u64,
}

/// Where a search goes on: in which file, after which line.
#[derive(Serialize, Deserialize)]
struct Page {
    names: Vec<String>,
    line: u64,
}

fn hundred() -> usize {
    100
}

fn yes() -> bool {
    true
}

impl Method for Grep {
    const NAME: &'static str = "mcp.fs.grep";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Grepped;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Grepped, Error> {
        Ok(self.grep(context, fs)?)
    }
}

// === impl Grep ===

impl Grep {
    fn grep(self, context: &Context, fs: &Fs) -> Result<Grepped, Fault> {
        let matcher = lines::matcher(&self.pattern, self.ignore_case, self.literal)?;
        let page: Option<Page> = cursor::read(self.cursor.as_deref())?;
        let matches = Matches::new(self.limit(fs), fs.limits().read_bytes, self.context);
        let mut search = Search {
            matcher,
            matches,
            context,
            files_searched: 0,
            unreadable: 0,
            from: page,
            stopped_at: None,
        };
        let place = fs.look_up(context, &self.path)?;
        if let Some(place) = place.as_ref().filter(|place| !place.is_root())
            && files::look(place)?.kind != Kind::Directory
        {
            // One file, or a link that leads to one. What leads to a directory falls through to the walk.
            match Regular::open(place) {
                Ok(file) => {
                    search.file(&file, &place.path, Vec::new())?;
                    return Ok(search.answer(None, 0));
                }
                Err(Fault::Refused { what: What::IsADirectory, .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        let start = place.map_or_else(VirtualPath::top, |place| place.path);
        let glob = self.glob.as_deref().map(|glob| Pattern::parse("glob", glob, false)).transpose()?;
        let plan = Plan {
            hidden: self.hidden,
            gitignore: self.gitignore,
            depth: DEPTH_MAX,
            after: search.from.as_ref().map(|page| page.names.clone()),
            inclusive: true,
        };
        let walked = walk::walk(fs, context, &self.path, &plan, |step| {
            if step.name.kind != Kind::File || glob.as_ref().is_some_and(|glob| !glob.covers(step)) {
                return Ok(Next::On);
            }
            let dir = step.names.dir(step.path);
            let Ok(file) = dir.and_then(|dir| Regular::open_child(dir, &step.name.text, step.path)) else {
                search.unreadable += 1;
                return Ok(Next::On);
            };
            search.file(&file, step.path, walk::names_below(&start, step.path))
        })?;
        Ok(search.answer(walked.stopped_at.filter(|_| walked.exhausted), walked.unreadable))
    }

    fn limit(&self, fs: &Fs) -> usize {
        let allowed = fs.limits().entries;
        if self.limit == 0 { allowed } else { self.limit.min(allowed) }
    }
}

/// A search under way.
struct Search<'s> {
    matcher: RegexMatcher,
    matches: Matches,
    context: &'s Context,
    files_searched: u64,
    unreadable: u64,
    from: Option<Page>,
    stopped_at: Option<Page>,
}

// === impl Search ===

impl Search<'_> {
    fn file(&mut self, file: &Regular, path: &VirtualPath, names: Vec<String>) -> Result<Next, Fault> {
        let from = self.from.as_ref().filter(|page| page.names == names);
        let after_line = from.map_or(0, |page| page.line);
        if after_line == u64::MAX {
            return Ok(Next::On);
        }
        self.files_searched += 1;
        let cancel = &self.context.cancel;
        let stopped = lines::search(&self.matcher, &file.file, path, after_line, &mut self.matches, cancel)?;
        let Some(line) = stopped else {
            return Ok(Next::On);
        };
        self.stopped_at = Some(Page { names, line });
        Ok(Next::Stop)
    }

    /// The answer; `last_seen` is where the walk ended when it had looked at as much as it may.
    fn answer(self, last_seen: Option<Vec<String>>, unreadable: u64) -> Grepped {
        let seen = last_seen.map(|names| Page { names, line: u64::MAX });
        Grepped {
            matches: self.matches.found,
            files_searched: self.files_searched,
            next_cursor: self.stopped_at.or(seen).map(|page| cursor::write(&page)),
            unreadable: self.unreadable + unreadable,
        }
    }
}
