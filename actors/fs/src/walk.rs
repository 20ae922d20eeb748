//! Walks what lies below a directory, in one order, from handle to handle.
//!
//! Every directory is opened as a single name of its parent's handle and never through a link; no path is resolved
//! again on the way. So whatever is renamed or swapped meanwhile, the walk stays in directories that were beneath
//! the root when it entered them. It is bounded in depth and in files, and it can go on where it stopped: names
//! come sorted, so a path says exactly what has been seen.

use std::os::fd::{AsFd, OwnedFd};

use protocol::Context;
use rustix::fs::{Mode, OFlags, openat};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY};
use crate::fault::{At as _, Fault, What};
use crate::files;
use crate::ignored::Ignored;
use crate::names::{Name, Names};
use crate::path::{ClientPath, VirtualPath};
use crate::remove::DEPTH_MAX;
use crate::roots::Root;
use crate::service::Fs;

/// What a walk looks at.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names that begin with a dot, too.
    pub(crate) hidden: bool,
    /// Not what `.gitignore` files exclude, nor `.git` itself.
    pub(crate) gitignore: bool,
    /// How many levels down; 1 is the directory's own entries.
    pub(crate) depth: usize,
    /// Only what comes after these names, each in the one before.
    pub(crate) after: Option<Vec<String>>,
    /// And these names themselves.
    pub(crate) inclusive: bool,
}

/// One thing on the way.
#[derive(Debug)]
pub(crate) struct Step<'w> {
    /// The directory that holds it.
    pub(crate) names: &'w Names,
    /// The root that hangs here, if one does: then it, and not the directory, has what is here.
    root: Option<&'w Root>,
    pub(crate) name: &'w Name,
    pub(crate) path: &'w VirtualPath,
    /// Its path from where the walk began, without a leading slash.
    pub(crate) relative: &'w str,
    /// 1 in the directory where the walk began.
    pub(crate) depth: usize,
}

/// How a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    On,
    /// No further: what follows is for the next call.
    Stop,
}

/// How a walk ended.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Where to go on: the last thing seen. `None`: everything has been seen.
    pub(crate) stopped_at: Option<Vec<String>>,
    /// Whether it stopped because it had looked at as many files as one call may.
    pub(crate) exhausted: bool,
    /// How many directories could not be opened, or lie too deep.
    pub(crate) unreadable: u64,
}

struct Walk<'w> {
    fs: &'w Fs,
    context: &'w Context,
    plan: &'w Plan,
    visit: &'w mut dyn FnMut(&Step<'_>) -> Result<Next, Fault>,
    ignored: Ignored,
    /// How many files may still be looked at.
    left: u64,
    start: VirtualPath,
    walked: Walked,
}

/// Walks what is below `path`. Below `/` that includes every root that hangs there.
pub(crate) fn walk(
    fs: &Fs,
    context: &Context,
    path: &ClientPath,
    plan: &Plan,
    mut visit: impl FnMut(&Step<'_>) -> Result<Next, Fault>,
) -> Result<Walked, Fault> {
    let place = fs.look_up(context, path)?;
    let start = place.as_ref().map_or_else(VirtualPath::top, |place| place.path.clone());
    let dir = place.as_ref().map(files::directory).transpose()?;
    let mut ignored = Ignored::default();
    if let Some(place) = place.as_ref().filter(|_| plan.gitignore) {
        ignored.enter_above(place);
    }
    let left = fs.limits().scan_files;
    let mut walk = Walk {
        fs,
        context,
        plan,
        visit: &mut visit,
        ignored,
        left,
        start: start.clone(),
        walked: Walked::default(),
    };
    let end = walk.level(dir, &start, 1, plan.after.is_some())?;
    if end == Next::On {
        walk.walked.stopped_at = None;
    }
    Ok(walk.walked)
}

/// The names on the way from `start` to `path`, as [`Plan::after`] takes them.
pub(crate) fn names_below(start: &VirtualPath, path: &VirtualPath) -> Vec<String> {
    path.names().skip(start.names().count()).map(str::to_owned).collect()
}

// === impl Step ===

impl Step<'_> {
    /// What the kernel says about it; `None` when it is gone already.
    pub(crate) fn look(&self) -> Option<Attributes> {
        match self.root {
            Some(root) => Attributes::of(&root.dir).ok(),
            None => self.names.look(&self.name.text),
        }
    }
}

// === impl Walk ===

impl<'w> Walk<'w> {
    /// Looks at the entries of one directory; `dir` is `None` for a `/` where no root is. `marked`: the names so
    /// far are those of [`Plan::after`].
    fn level(
        &mut self,
        dir: Option<OwnedFd>,
        path: &VirtualPath,
        depth: usize,
        marked: bool,
    ) -> Result<Next, Fault> {
        let names = self.names(dir, path)?;
        let ignoring = self.plan.gitignore && self.ignored.enter(&names, path);
        let mut next = Next::On;
        for name in &names.list {
            Fault::unless_cancelled(&self.context.cancel)?;
            let here = path.child(&name.text);
            if self.skips(name, &here, path) {
                continue;
            }
            let mark = self.plan.after.as_ref().filter(|_| marked).and_then(|after| after.get(depth - 1));
            let order = mark.map(|mark| name.text.as_str().cmp(mark));
            let on_mark = order == Some(std::cmp::Ordering::Equal);
            let last_mark = self.plan.after.as_ref().is_some_and(|after| after.len() == depth);
            match order {
                Some(std::cmp::Ordering::Less) => continue,
                Some(std::cmp::Ordering::Equal) if !(last_mark && self.plan.inclusive) => {}
                _ => next = self.see(&names, name, &here, depth)?,
            }
            if next == Next::On && name.kind == Kind::Directory && depth < self.plan.depth {
                next = self.down(&names, name, &here, depth, on_mark)?;
            }
            if next == Next::Stop {
                break;
            }
        }
        if ignoring {
            self.ignored.leave();
        }
        Ok(next)
    }

    fn names(&self, dir: Option<OwnedFd>, path: &VirtualPath) -> Result<Names, Fault> {
        let mut names = match dir {
            Some(dir) => Names::read(dir, self.fs.limits().scan_files, path, &self.context.cancel)?,
            None => Names::none(),
        };
        if path.is_top() {
            names.list.retain(|name| !self.fs.roots().covers(&path.child(&name.text)));
            let roots = self.fs.named_roots(self.context).filter_map(|root| root.at.name());
            names.list.extend(roots.map(|name| Name { text: name.to_owned(), kind: Kind::Directory }));
        }
        names.list.sort_unstable_by(|one, other| one.text.cmp(&other.text));
        Ok(names)
    }

    fn skips(&self, name: &Name, here: &VirtualPath, path: &VirtualPath) -> bool {
        if path.is_top() && self.fs.roots().covers(here) {
            return false;
        }
        (!self.plan.hidden && name.text.starts_with('.'))
            || (self.plan.gitignore
                && (name.text == ".git" || self.ignored.covers(here, name.kind == Kind::Directory)))
    }

    fn see(&mut self, names: &Names, name: &Name, here: &VirtualPath, depth: usize) -> Result<Next, Fault> {
        if self.left == 0 {
            self.walked.exhausted = true;
            return Ok(Next::Stop);
        }
        self.left -= 1;
        let cut = self.start.as_str().trim_end_matches('/').len() + 1;
        let relative = here.as_str().get(cut..).unwrap_or_default();
        let root = self.root_at(here);
        let next = (self.visit)(&Step { names, root, name, path: here, relative, depth })?;
        if next == Next::Stop || self.left == 0 {
            self.walked.stopped_at = Some(names_below(&self.start, here));
        }
        Ok(next)
    }

    /// The root that hangs at `here`, for this caller.
    fn root_at(&self, here: &VirtualPath) -> Option<&'w Root> {
        let (fs, context): (&'w Fs, &'w Context) = (self.fs, self.context);
        fs.named_roots(context).find(|root| root.at == *here)
    }

    fn down(
        &mut self,
        names: &Names,
        name: &Name,
        here: &VirtualPath,
        depth: usize,
        marked: bool,
    ) -> Result<Next, Fault> {
        let dir = match self.root_at(here) {
            // Another root begins here; its handle is as good as a name of this one.
            Some(root) => again(&root.dir).at(here),
            None => {
                names.dir(here).and_then(|dir| beneath::child(dir, name.text.as_str(), DIRECTORY).at(here))
            }
        };
        match dir {
            Ok(dir) if depth < DEPTH_MAX => self.level(Some(dir), here, depth + 1, marked),
            Err(fault @ Fault::Refused { what: What::Exhausted, .. }) => Err(fault),
            // Not for us, too deep, or no longer there: what remains is still worth showing.
            _ => {
                self.walked.unreadable += 1;
                Ok(Next::On)
            }
        }
    }
}

fn again(dir: impl AsFd) -> rustix::io::Result<OwnedFd> {
    openat(dir, c".", DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}
