//! `mcp.fs.tree`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::Kind;
use crate::fault::Fault;
use crate::path::ClientPath;
use crate::remove::DEPTH_MAX;
use crate::service::Fs;
use crate::walk::{self, Next, Plan};

/// Shows what lies below a directory as a tree: names only, a few levels deep.
///
/// Use it to get one's bearings; `mcp.fs.list` tells sizes and times, `mcp.fs.find` searches by name. As `text`
/// every name stands on a line of its own, indented by two spaces a level, directories with a slash at the end,
/// links with an `@`. `truncated` says that there was more than `limit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tree {
    /// The directory, from the virtual root.
    #[serde(default = "ClientPath::top")]
    path: ClientPath,
    /// How many levels to show; 1 is only the directory's own entries.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    depth: usize,
    /// How many entries to show at most; 0 is as many as the server allows.
    #[serde(default)]
    limit: usize,
    /// Whether names that begin with a dot are shown.
    #[serde(default)]
    hidden: bool,
    /// Whether to leave out what `.gitignore` files exclude.
    #[serde(default)]
    gitignore: bool,
    /// `text` for reading, `nested` for programs.
    #[serde(default)]
    format: Format,
}

/// How the tree is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Indented lines.
    #[default]
    Text,
    /// Objects in objects.
    Nested,
}

/// What lies below a directory.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    /// The directory.
    path: String,
    /// The tree as indented lines, in format `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The tree as objects, in format `nested`.
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<Vec<Node>>,
    /// How many entries are shown.
    entries: usize,
    /// Whether there is more on these levels than is shown.
    truncated: bool,
    /// How many directories could not be looked into.
    unreadable: u64,
}

/// One name in the tree.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Node {
    /// The name in its directory.
    name: String,
    /// What it is.
    r#type: Kind,
    /// What it holds, as far as it is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    children: Vec<Node>,
}

fn three() -> usize {
    3
}

impl Method for Tree {
    const NAME: &'static str = "mcp.fs.tree";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Shown;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Shown, Error> {
        Ok(self.tree(context, fs)?)
    }
}

// === impl Tree ===

impl Tree {
    fn tree(self, context: &Context, fs: &Fs) -> Result<Shown, Fault> {
        let place = fs.look_up(context, &self.path)?;
        let path = place.map_or_else(|| "/".to_owned(), |place| place.path.to_string());
        let allowed = fs.limits().entries;
        let limit = if self.limit == 0 { allowed } else { self.limit.min(allowed) };
        let plan = Plan {
            hidden: self.hidden,
            gitignore: self.gitignore,
            depth: self.depth.min(DEPTH_MAX),
            after: None,
            inclusive: false,
        };
        let mut flat: Vec<(usize, Node)> = Vec::new();
        let walked = walk::walk(fs, context, &self.path, &plan, |step| {
            if flat.len() == limit {
                return Ok(Next::Stop);
            }
            let node = Node { name: step.name.text.clone(), r#type: step.name.kind, children: Vec::new() };
            flat.push((step.depth, node));
            Ok(Next::On)
        })?;
        let entries = flat.len();
        let (text, children) = match self.format {
            Format::Text => (Some(lines(&flat)), None),
            Format::Nested => (None, Some(nest(flat))),
        };
        let truncated = walked.stopped_at.is_some();
        Ok(Shown { path, text, children, entries, truncated, unreadable: walked.unreadable })
    }
}

fn lines(flat: &[(usize, Node)]) -> String {
    let mut text = String::new();
    for (depth, node) in flat {
        text.extend(std::iter::repeat_n("  ", depth - 1));
        // One name, one line: a newline in a name must not forge another entry.
        text.extend(node.name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
        text.push_str(match node.r#type {
            Kind::Directory => "/\n",
            Kind::Symlink => "@\n",
            Kind::File | Kind::Other => "\n",
        });
    }
    text
}

/// Puts every node into the one before it that is a level higher.
fn nest(flat: Vec<(usize, Node)>) -> Vec<Node> {
    let mut children: Vec<Vec<Node>> = vec![Vec::new()];
    // From the end, everything that a node holds has been met before the node itself.
    for (depth, mut node) in flat.into_iter().rev() {
        if children.len() > depth {
            node.children = children.split_off(depth).into_iter().next().unwrap_or_default();
            node.children.reverse();
        }
        children.resize_with(children.len().max(depth), Vec::new);
        children[depth - 1].push(node);
    }
    let mut top = children.into_iter().next().unwrap_or_default();
    top.reverse();
    top
}
