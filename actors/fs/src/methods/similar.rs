//! `mcp.fs.similar`.

use index::{Ask, Filter, Mode, Query};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::Kind;
use crate::fault::{Fault, What};
use crate::files;
use crate::path::ClientPath;
use crate::search::Search;
use crate::search::answer::{Found, refused};

/// Finds what other files say that is like what one file says.
///
/// The file must be in the index (`mcp.fs.embed`). Without an embedding model its words count instead of what they mean,
/// and `without_meaning` says why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Similar {
    /// The file.
    path: ClientPath,
    /// How many results.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 100))]
    top_k: usize,
    /// Only at and below this file or folder; everywhere by default.
    #[serde(default)]
    scope: Option<ClientPath>,
}

fn five() -> usize {
    5
}

impl Method for Similar {
    const NAME: &'static str = "mcp.fs.similar";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Found;
    type Service = Search;

    async fn call(self, context: &Context, search: &Search) -> Result<Found, Error> {
        let place = search.fs.place(context, &self.path)?;
        if files::look(&place)?.kind == Kind::Directory {
            return Err(Fault::new(What::IsADirectory, &place.path).into());
        }
        let path = place.path.to_string();
        let below = match &self.scope {
            Some(scope) => vec![search.path(context, scope)?.to_string()],
            None => Vec::new(),
        };
        let filter = Filter {
            tier: &context.caller.tier,
            sees_all: search.sees_all(context),
            below: &below,
            path: None,
            kinds: &[],
            modified_ns: (None, None),
        };
        // One piece of each file: it is files that are alike.
        let ask =
            Ask { query: Query::Like(&path), mode: Mode::Semantic, top_k: self.top_k, per_file: 1, filter };
        Ok(Found::of(search.index.search(&ask).await.map_err(refused)?, false))
    }
}
