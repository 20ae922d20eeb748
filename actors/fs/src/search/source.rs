//! The roots as the index reads them: from handle to handle, and past what ignore files exclude.

use std::fs::File;
use std::os::fd::OwnedFd;

use index::{Files, Found, Unreadable, Watching};
use protocol::Cancel;

use super::watching;
use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY, Last};
use crate::fault::{At as _, Fault};
use crate::files::{self, Regular};
use crate::ignored::Ignored;
use crate::names::Names;
use crate::path::VirtualPath;
use crate::remove::DEPTH_MAX;
use crate::roots::Place;
use crate::service::Fs;

impl Files for Fs {
    fn walk(
        &self,
        path: &str,
        deep: bool,
        stop: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(Found),
    ) -> Result<Vec<String>, Unreadable> {
        let path = parsed(path)?;
        if path.names().any(is_hidden) {
            return Err(Unreadable::Gone);
        }
        let mut walk =
            Walk { fs: self, deep, stop, visit, ignored: Ignored::of_the_index(), unread: Vec::new() };
        if let Some(place) = any_place(self, &path) {
            walk.ignored.enter_above(&place);
            if walk.excluded(&place) {
                return Err(Unreadable::Gone);
            }
            let about = files::look(&place).map_err(unreadable)?;
            match about.kind {
                Kind::File => (walk.visit)(found(&path, &about)),
                Kind::Directory => walk.directory(files::directory(&place).map_err(unreadable)?, &path, 1),
                Kind::Symlink | Kind::Other => return Err(Unreadable::Gone),
            }
        }
        if path.is_top() && deep {
            walk.named_roots();
        }
        Ok(walk.unread)
    }

    fn open(&self, path: &str) -> Result<(File, Found), Unreadable> {
        let path = parsed(path)?;
        let place = any_place(self, &path).ok_or(Unreadable::Gone)?;
        // A link is not opened: what it leads to has a path of its own.
        let opened = place
            .open(beneath::TO_READ, Last::AsItIs)
            .map_err(|error| unreadable(Fault::io(error, &path)))?;
        let file = Regular::known(opened, &path).map_err(unreadable)?;
        let about = found(&path, &file.attributes);
        Ok((file.file, about))
    }

    fn look(&self, file: &File, path: &str) -> Result<Found, Unreadable> {
        let about = Attributes::of(file).map_err(|errno| Unreadable::Other(errno.to_string()))?;
        Ok(found(&parsed(path)?, &about))
    }

    fn watch(&self, path: &str, changed: Box<dyn Fn(String) + Send>) -> Option<Watching> {
        let path = parsed(path).ok()?;
        let mut places: Vec<Place<'_>> = any_place(self, &path).into_iter().collect();
        if path.is_top() {
            let named = self.roots().iter().filter(|root| !root.at.is_top());
            places.extend(named.map(|root| Place { root, path: root.at.clone(), at_once: false }));
        }
        watching::begin(&places, changed)
    }

    fn shown_to(&self, tier: &str, path: &str) -> bool {
        let Ok(path) = path.parse::<VirtualPath>() else { return false };
        self.roots().iter().find(|root| root.at.contains(&path)).is_some_and(|root| root.shown_to(tier))
    }
}

/// A walk under way.
struct Walk<'w> {
    fs: &'w Fs,
    deep: bool,
    stop: &'w dyn Fn() -> bool,
    visit: &'w mut dyn FnMut(Found),
    ignored: Ignored,
    /// Folders that could not be looked into.
    unread: Vec<String>,
}

impl Walk<'_> {
    fn directory(&mut self, dir: OwnedFd, path: &VirtualPath, depth: usize) {
        // One that cannot be read, or has more names than anybody made by hand, is left out.
        let names = match Names::read(dir, self.fs.limits().scan_files, path, &Cancel::new()) {
            Ok(names) => names,
            Err(fault) => return self.leave_out(path, fault),
        };
        let ignoring = self.ignored.enter(&names, path);
        for name in &names.list {
            if (self.stop)() {
                break;
            }
            let here = path.child(&name.text);
            let is_dir = name.kind == Kind::Directory;
            if is_hidden(&name.text) || self.fs.roots().covers(&here) || self.ignored.covers(&here, is_dir) {
                continue;
            }
            match name.kind {
                Kind::File => {
                    if let Some(about) = names.look(&name.text).filter(|about| about.kind == Kind::File) {
                        (self.visit)(found(&here, &about));
                    }
                }
                Kind::Directory if self.deep && depth < DEPTH_MAX => {
                    let opened = names
                        .dir(&here)
                        .and_then(|dir| beneath::child(dir, name.text.as_str(), DIRECTORY).at(&here));
                    match opened {
                        Ok(dir) => self.directory(dir, &here, depth + 1),
                        Err(fault) => self.leave_out(&here, fault),
                    }
                }
                _ => {}
            }
        }
        if ignoring {
            self.ignored.leave();
        }
    }

    /// A folder that is gone is no longer there; any other that is not read may be all there.
    fn leave_out(&mut self, path: &VirtualPath, fault: Fault) {
        if let Unreadable::Other(why) = unreadable(fault) {
            tracing::warn!(%path, why, "a folder that is kept current cannot be looked into");
            self.unread.push(path.to_string());
        }
    }

    /// Whether a rule above the place excludes it, or something on the way to it.
    fn excluded(&self, place: &Place<'_>) -> bool {
        let mut at = VirtualPath::top();
        let depth = place.path.names().count();
        place.path.names().enumerate().any(|(n, name)| {
            at = at.child(name);
            // Whatever it is, as a directory it is excluded by more rules; only what it is counts for itself.
            let is_dir = n + 1 < depth || files::look(place).is_ok_and(|about| about.kind == Kind::Directory);
            self.ignored.covers(&at, is_dir)
        })
    }

    fn named_roots(&mut self) {
        for root in self.fs.roots().iter().filter(|root| !root.at.is_top()) {
            let place = Place { root, path: root.at.clone(), at_once: false };
            match files::directory(&place) {
                Ok(dir) => self.directory(dir, &root.at, 1),
                Err(fault) => self.leave_out(&root.at, fault),
            }
        }
    }
}

/// Where a path is, whoever may see it; none for `/` without a root.
fn any_place<'fs>(fs: &'fs Fs, path: &VirtualPath) -> Option<Place<'fs>> {
    let root = fs.roots().iter().find(|root| root.at.contains(path))?;
    Some(Place { root, path: path.clone(), at_once: false })
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

fn parsed(path: &str) -> Result<VirtualPath, Unreadable> {
    path.parse().map_err(|_| Unreadable::Gone)
}

fn found(path: &VirtualPath, about: &Attributes) -> Found {
    let (seconds, nanoseconds) = about.modified;
    Found {
        path: path.to_string(),
        identity: about.identity.numbers(),
        bytes: about.bytes,
        modified_ns: seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(nanoseconds)),
    }
}

fn unreadable(fault: Fault) -> Unreadable {
    let error = protocol::Error::from(fault);
    let kind = error.data.as_ref().and_then(|data| data["kind"].as_str());
    match kind {
        Some(
            "not_found" | "not_a_directory" | "link" | "link_loop" | "outside" | "special_file"
            | "is_a_directory",
        ) => Unreadable::Gone,
        _ => Unreadable::Other(error.message.clone()),
    }
}
