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

const FILE_NAME: &str = ".gitignore";

/// Longer ones are made by mistake; their beginning counts.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The rules of the directory that is being walked and of those above it, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Ignored(Vec<Gitignore>);

// === impl Ignored ===

impl Ignored {
    /// Takes the rules of the directories above `place`, from its root down.
    pub(crate) fn enter_above(&mut self, place: &Place<'_>) {
        let mut above = Vec::new();
        let mut next = place.parent().ok();
        while let Some((dir, _)) = next {
            next = dir.parent().ok().map(|(dir, _)| (dir, ""));
            above.push(dir);
        }
        for dir in above.iter().rev() {
            let inside = format!("{}/{FILE_NAME}", dir.inside());
            let file = beneath::open(&dir.root.dir, &inside, TO_READ, Last::AsItIs).ok();
            self.0.extend(file.and_then(|file| rules(Regular::known(file, &dir.path).ok()?, &dir.path)));
        }
    }

    /// Takes the rules of a directory; whether it has any.
    pub(crate) fn enter(&mut self, names: &Names, path: &VirtualPath) -> bool {
        if !names.list.iter().any(|name| name.text == FILE_NAME && name.kind == Kind::File) {
            return false;
        }
        let file = names.dir(path).ok().and_then(|dir| Regular::open_child(dir, FILE_NAME, path).ok());
        let rules = file.and_then(|file| rules(file, path));
        let any = rules.is_some();
        self.0.extend(rules);
        any
    }

    /// Forgets the rules that were taken last.
    pub(crate) fn leave(&mut self) {
        self.0.pop();
    }

    /// Whether a path is excluded: the innermost rule that says anything decides.
    pub(crate) fn covers(&self, path: &VirtualPath, is_dir: bool) -> bool {
        for rules in self.0.iter().rev() {
            match rules.matched(path.as_str(), is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

fn rules(file: Regular, path: &VirtualPath) -> Option<Gitignore> {
    let mut text = Vec::new();
    file.file.take(FILE_BYTES_MAX).read_to_end(&mut text).ok()?;
    let mut builder = GitignoreBuilder::new(path.as_str());
    for line in String::from_utf8_lossy(&text).lines() {
        // A line that is no pattern excludes nothing, as in git.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok()
}
