//! What `.gitignore` files exclude, read by handle like everything else.

use std::io::Read as _;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::attributes::Kind;
use crate::beneath::{self, Last, TO_READ};
use crate::files::Regular;
use crate::names::Names;
use crate::path::VirtualPath;
use crate::roots::Place;

const GIT: &str = ".gitignore";

/// What the index leaves out beside that: the same rules, for who does not want to change what git sees.
pub(crate) const OURS: &str = ".llmbasedosignore";

/// Longer ones are made by mistake; their beginning counts.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The rules of the directory that is being walked and of those above it, outermost first.
#[derive(Debug)]
pub(crate) struct Ignored {
    files: &'static [&'static str],
    rules: Vec<Gitignore>,
}

impl Default for Ignored {
    fn default() -> Self {
        Self { files: &[GIT], rules: Vec::new() }
    }
}

// === impl Ignored ===

impl Ignored {
    /// What the index leaves out.
    pub(crate) fn of_the_index() -> Self {
        Self { files: &[GIT, OURS], rules: Vec::new() }
    }

    /// Takes the rules of the directories above `place`, from its root down.
    pub(crate) fn enter_above(&mut self, place: &Place<'_>) {
        let mut above = Vec::new();
        let mut next = place.parent().ok();
        while let Some((dir, _)) = next {
            next = dir.parent().ok().map(|(dir, _)| (dir, ""));
            above.push(dir);
        }
        for dir in above.iter().rev() {
            let files = self.files.iter().filter_map(|name| {
                let inside = format!("{}/{name}", dir.inside());
                let file = beneath::open(&dir.root.dir, &inside, TO_READ, Last::AsItIs).ok()?;
                Regular::known(file, &dir.path).ok()
            });
            self.rules.extend(rules(files, &dir.path));
        }
    }

    /// Takes the rules of a directory; whether it has any.
    pub(crate) fn enter(&mut self, names: &Names, path: &VirtualPath) -> bool {
        let is_there =
            |wanted: &str| names.list.iter().any(|name| name.text == wanted && name.kind == Kind::File);
        let mut files = self.files.iter().filter(|name| is_there(name)).peekable();
        if files.peek().is_none() {
            return false;
        }
        let files = files.filter_map(|name| Regular::open_child(names.dir(path).ok()?, name, path).ok());
        let rules = rules(files, path);
        let any = rules.is_some();
        self.rules.extend(rules);
        any
    }

    /// Forgets the rules that were taken last.
    pub(crate) fn leave(&mut self) {
        self.rules.pop();
    }

    /// Whether a path is excluded: the innermost rule that says anything decides.
    pub(crate) fn covers(&self, path: &VirtualPath, is_dir: bool) -> bool {
        for rules in self.rules.iter().rev() {
            match rules.matched(path.as_str(), is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

/// The rules of these files of one directory, the last of which has the last word.
fn rules(files: impl Iterator<Item = Regular>, path: &VirtualPath) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new(path.as_str());
    for file in files {
        let mut text = Vec::new();
        file.file.take(FILE_BYTES_MAX).read_to_end(&mut text).ok()?;
        for line in String::from_utf8_lossy(&text).lines() {
            // A line that is no pattern excludes nothing, as in git.
            let _ = builder.add_line(None, line);
        }
    }
    builder.build().ok()
}
