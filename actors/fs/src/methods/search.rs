//! `mcp.fs.search`.

use index::{Ask, Filter, Mode, Query, SearchError};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::path::ClientPath;
use crate::pattern::Pattern;
use crate::search::Search;
use crate::search::answer::{Found, refused};

/// Finds the pieces of files that a question is about, by meaning and by words, among the files that `mcp.fs.embed` has
/// put into the index.
///
/// Ask in whole words, in any language: "where did I put the insurance papers". Each result has the lines it was found
/// in, for `mcp.fs.read`. Without an embedding model only words count, and `without_meaning` says why. Use
/// `mcp.fs.grep` for an exact text or a pattern, and `mcp.fs.find` for names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Find {
    /// What to look for.
    #[schemars(length(min = 1, max = 4096))]
    query: String,
    /// How many results.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 100))]
    top_k: usize,
    /// Only at and below this file or folder; everywhere by default.
    #[serde(default)]
    scope: Option<ClientPath>,
    /// By meaning, by words, or by both.
    #[serde(default)]
    mode: How,
    /// Only files with such names (`*.md`) or, with a slash, such paths (`notes/**/*.md`).
    #[serde(default)]
    glob: Option<String>,
    /// Only files of these types, or whose type begins so: `application/pdf`, `text/`.
    #[serde(default)]
    #[schemars(length(max = 32))]
    types: Vec<String>,
    /// Only files that were changed at or after this time (RFC 3339): `2026-01-31T00:00:00Z`.
    #[serde(default)]
    modified_after: Option<String>,
    /// Only files that were changed at or before this time.
    #[serde(default)]
    modified_before: Option<String>,
    /// How many results of one file there may be at most; 0 is no limit.
    #[serde(default = "three")]
    #[schemars(range(min = 0, max = 100))]
    per_file: usize,
    /// Whether to say of each result why it is where it is.
    #[serde(default)]
    explain: bool,
}

/// How it is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum How {
    /// By both: what either finds, and first what both do.
    #[default]
    Hybrid,
    /// By meaning alone.
    Semantic,
    /// By words alone.
    Keyword,
}

fn five() -> usize {
    5
}

fn three() -> usize {
    3
}

impl Method for Find {
    const NAME: &'static str = "mcp.fs.search";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    const ORIGINAL_FIELD: Option<&'static str> = Some("results");

    type Reply = Found;
    type Service = Search;

    fn text_bytes(reply: &Found) -> usize {
        256 + reply.results.len() * 1200
    }

    async fn call(self, context: &Context, search: &Search) -> Result<Found, Error> {
        let below = match &self.scope {
            Some(scope) => vec![search.path(context, scope)?.to_string()],
            None => Vec::new(),
        };
        let glob = self.glob.as_deref().map(|glob| Pattern::parse("glob", glob, false)).transpose()?;
        let covers = |path: &str| glob.as_ref().is_none_or(|glob| glob.covers_path(path));
        let filter = Filter {
            tier: &context.caller.tier,
            sees_all: search.sees_all(context),
            below: &below,
            path: glob.is_some().then_some(&covers),
            kinds: &self.types,
            modified_ns: (
                time("modified_after", self.modified_after.as_deref())?,
                time("modified_before", self.modified_before.as_deref())?,
            ),
        };
        let mode = match self.mode {
            How::Hybrid => Mode::Hybrid,
            How::Semantic => Mode::Semantic,
            How::Keyword => Mode::Keyword,
        };
        let query = Query::Text(&self.query);
        let ask = Ask { query, mode, top_k: self.top_k, per_file: self.per_file, filter };
        match search.index.search(&ask).await {
            Ok(answer) => Ok(Found::of(answer, self.explain)),
            Err(SearchError::Empty) => Ok(Found::nothing()),
            Err(error) => Err(refused(error)),
        }
    }
}

/// A time of a parameter, in nanoseconds since 1970.
fn time(name: &str, text: Option<&str>) -> Result<Option<i64>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        Fault::Params(format!("'{name}' is no time as RFC 3339 has it, such as 2026-01-31T00:00:00Z"))
    })?;
    Ok(Some(i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)))
}
