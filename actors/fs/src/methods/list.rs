//! `mcp.fs.list`.

use std::cmp::Ordering;
use std::os::fd::OwnedFd;
use std::time::Instant;

use protocol::{Context, Effect, Error, Method, Run, Shape, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{DIRECTORY, Last};
use crate::cursor;
use crate::entry::Entry;
use crate::fault::{At as _, Fault, What};
use crate::files;
use crate::names::{Listed, Name, Names};
use crate::path::{ClientPath, VirtualPath};
use crate::question::{Order, Question, Sort};
use crate::roots::Place;
use crate::service::Fs;
use crate::warm::{self, Ticket, Way};
use crate::written::{Entries, Written};

/// Lists one directory: name, path, type, size and time of every entry.
///
/// Use it to see what is there, without `details` where names are enough; use `mcp.fs.tree` or `mcp.fs.find` for what lies
/// deeper. Links are shown as links, never followed: their size is the link's own. By name the answer is one page and
/// `next_cursor` leads to the next one; by position it is the bare array of all entries, as the original answered. A file
/// name that is not UTF-8 cannot be said in JSON: such entries are only counted, in `unnameable`. What is written through
/// a mapping that stays open, or by a second name in another directory, may be seen two seconds late.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// The directory, from the virtual root: `/` or `/documents`.
    path: ClientPath,
    /// How many entries one answer has at most; 0 is as many as the server allows.
    #[serde(default)]
    limit: usize,
    /// `next_cursor` of the answer before, with the same `sort` and `order`.
    #[serde(default)]
    cursor: Option<String>,
    /// By what the entries are sorted. By name, directories come first and case does not count.
    #[serde(default)]
    sort: Sort,
    /// Ascending or descending.
    #[serde(default)]
    order: Order,
    /// Whether names that begin with a dot are shown.
    #[serde(default = "yes")]
    hidden: bool,
    /// Whether each entry has its size and time. Without them the answer is half as long, and no file is
    /// looked at.
    #[serde(default = "yes")]
    details: bool,
}

/// A directory's entries.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listing {
    /// The directory.
    path: String,
    /// The entries, sorted.
    #[schemars(with = "Vec<Entry>")]
    entries: Entries,
    /// How many entries the directory has in all, those on other pages included.
    total: usize,
    /// Give this as `cursor` to get what follows; null when nothing does.
    next_cursor: Option<String>,
    /// How many entries are missing because their names are not UTF-8.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    unnameable: u64,
}

/// The place of an entry in the order: what the cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Rank {
    /// Kind, size or time.
    first: (i64, u32),
    folded: String,
    name: String,
}

/// What the cursor of a listing says: where in which order.
#[derive(Serialize, Deserialize)]
struct Page {
    sort: Sort,
    order: Order,
    after: Rank,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Method for List {
    const NAME: &'static str = "mcp.fs.list";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;
    const ORIGINAL_FIELD: Option<&'static str> = Some("entries");

    type Reply = Listing;
    type Service = Fs;

    fn text_bytes(reply: &Listing) -> usize {
        128 + reply.entries.text_bytes()
    }

    fn try_now(&self, context: &Context, fs: &Fs, alone: bool) -> Option<Result<Listing, Error>> {
        let place = fs.look_up(context, &self.path).ok()??.at_once()?;
        // The names of roots are shown with what the roots are, which may be far away.
        if place.path.is_top() && fs.named_roots(context).any(|root| !root.local) {
            return None;
        }
        let dir = place.open(DIRECTORY, Last::Followed).ok()?;
        // Looking takes a hundred microseconds: of several calls at once each gets a thread of its own.
        let way = fs.warm().way(&dir, self.details, alone, Instant::now())?;
        self.listed(context, fs, &place, dir, Some(way), warm::NAMES_MAX as u64)
            .ok()
            .map(|(listing, _)| Ok(listing))
    }

    async fn call(self, context: &Context, fs: &Fs) -> Result<Listing, Error> {
        let Some(place) = fs.look_up(context, &self.path)? else {
            return Ok(self.listing(context, fs, &VirtualPath::top(), None)?);
        };
        let dir = files::directory(&place)?;
        let about = Attributes::of(&dir).at(&place.path)?;
        let local = place.root.local.then(|| fs.warm());
        let way = local.and_then(|warm| warm.way(&dir, self.details, true, Instant::now()));
        let (listing, read) = self.listed(context, fs, &place, dir, way, fs.limits().scan_files)?;
        if let Some(warm) = local {
            warm.note(&about, read, Instant::now());
        }
        Ok(listing)
    }
}

// === impl List ===

impl List {
    /// Lists a directory, of which there may be `most` names, and says how many names it has.
    fn listed(
        &self,
        context: &Context,
        fs: &Fs,
        place: &Place<'_>,
        dir: OwnedFd,
        way: Option<Way>,
        most: u64,
    ) -> Result<(Listing, usize), Fault> {
        let ticket = match way {
            Some(Way::Known(listed)) => return self.known(context, fs, &place.path, dir, &listed),
            Some(Way::Cached(ticket)) => ticket,
            None => None,
        };
        let names = self.read(context, fs, place, dir, ticket, most)?;
        let read = names.list.len();
        Ok((self.listing(context, fs, &place.path, Some(names))?, read))
    }

    /// Lists what is remembered, as it was written for the same question or anew.
    fn known(
        &self,
        context: &Context,
        fs: &Fs,
        path: &VirtualPath,
        dir: OwnedFd,
        listed: &Listed,
    ) -> Result<(Listing, usize), Fault> {
        let read = listed.names();
        // What is at the top depends on who asks, and what follows a cursor on where it is.
        let question = (self.cursor.is_none() && !path.is_top()).then(|| self.question());
        let kept = &listed.written[usize::from(self.details)];
        if let (Some(question), Some(written)) = (question, kept.get())
            && let Some(entries) = written.answers(question, path)
            && written.total <= self.page_length(context, fs, path, written.total)?
        {
            let (path, total, unnameable) = (path.to_string(), written.total, listed.unnameable);
            return Ok((Listing { path, entries, total, next_cursor: None, unnameable }, read));
        }
        let names = Names::known(dir, listed).at(path)?;
        let listing = self.listing(context, fs, path, Some(names))?;
        if let (Some(question), None, Entries::Made(entries)) =
            (question, &listing.next_cursor, &listing.entries)
            && listed.answers(question)
            && let Some(written) = Written::of(question, path, entries)
        {
            let _ = kept.set(written);
        }
        Ok((listing, read))
    }

    fn question(&self) -> Question {
        Question { sort: self.sort, order: self.order, hidden: self.hidden, details: self.details }
    }

    /// Reads the names in a directory, and remembers them for who has a ticket.
    fn read(
        &self,
        context: &Context,
        fs: &Fs,
        place: &Place<'_>,
        dir: OwnedFd,
        ticket: Option<Ticket>,
        most: u64,
    ) -> Result<Names, Fault> {
        let mut names = Names::read(dir, most, &place.path, &context.cancel)?;
        if let Some(ticket) = ticket
            && names.list.len() <= warm::NAMES_MAX
        {
            fs.warm().keep(ticket, names.listed(self.details));
        }
        Ok(names)
    }

    fn listing(
        &self,
        context: &Context,
        fs: &Fs,
        path: &VirtualPath,
        mut names: Option<Names>,
    ) -> Result<Listing, Fault> {
        let list = names.as_mut().map(|names| std::mem::take(&mut names.list)).unwrap_or_default();
        let mut found = self.ordered(context, fs, path, names.as_ref(), list)?;
        let total = found.len();
        if let Some(page) = cursor::read::<Page>(self.cursor.as_deref())? {
            if (page.sort, page.order) != (self.sort, self.order) {
                return Err(Fault::Params("'cursor' belongs to another 'sort' or 'order'".to_owned()));
            }
            found.retain(|(place, ..)| self.compare(place, &page.after) == Ordering::Greater);
        }
        let limit = self.page_length(context, fs, path, total)?;
        let next_cursor = (found.len() > limit).then(|| {
            let after = found[limit - 1].0.clone();
            cursor::write(&Page { sort: self.sort, order: self.order, after })
        });
        found.truncate(limit);
        let mut entries = Vec::with_capacity(found.len());
        for (place, kind, known) in found {
            let at = path.child(&place.name).into_text();
            if !self.details {
                entries.push(Entry::only(place.name, at, kind));
                continue;
            }
            let look = || names.as_ref().and_then(|names| names.look(&place.name));
            if let Some(attributes) = known.or_else(look) {
                entries.push(Entry::called(place.name, at, &attributes));
            }
        }
        let unnameable = names.map_or(0, |names| names.unnameable);
        Ok(Listing {
            path: path.to_string(),
            entries: Entries::Made(entries),
            total,
            next_cursor,
            unnameable,
        })
    }

    /// Everything that the caller may see, sorted; attributes only where sorting already needed them.
    fn ordered(
        &self,
        context: &Context,
        fs: &Fs,
        path: &VirtualPath,
        names: Option<&Names>,
        list: Vec<Name>,
    ) -> Result<Vec<(Rank, Kind, Option<Attributes>)>, Fault> {
        let mut found = Vec::with_capacity(list.len());
        for (nth, name) in list.into_iter().enumerate() {
            Fault::unless_cancelled(&context.cancel)?;
            let covered = path.is_top() && fs.roots().covers(&path.child(&name.text));
            if covered || (!self.hidden && name.text.starts_with('.')) {
                continue;
            }
            let looked = names.and_then(|names| names.looked.get(nth).copied().flatten());
            let attributes = match self.sort {
                Sort::Name => looked,
                Sort::Size | Sort::Modified => {
                    match looked.or_else(|| names.and_then(|names| names.look(&name.text))) {
                        Some(attributes) => Some(attributes),
                        None => continue,
                    }
                }
            };
            let place = self.place_of(name.text, name.kind, attributes.as_ref());
            found.push((place, name.kind, attributes));
        }
        if path.is_top() {
            for root in fs.named_roots(context) {
                let attributes = Attributes::of(&root.dir).map_err(|errno| Fault::errno(errno, &root.at))?;
                let name = root.at.name().unwrap_or_default();
                found.push((
                    self.place_of(name.to_owned(), Kind::Directory, Some(&attributes)),
                    Kind::Directory,
                    Some(attributes),
                ));
            }
        }
        found.sort_unstable_by(|(one, ..), (other, ..)| self.compare(one, other));
        Ok(found)
    }

    fn place_of(&self, name: String, kind: Kind, attributes: Option<&Attributes>) -> Rank {
        let first = match (self.sort, attributes) {
            (Sort::Size, Some(found)) => (found.size(), 0),
            (Sort::Modified, Some(found)) => found.modified,
            _ => (i64::from(kind != Kind::Directory), 0),
        };
        Rank { first, folded: name.to_lowercase(), name }
    }

    fn compare(&self, one: &Rank, other: &Rank) -> Ordering {
        match self.order {
            Order::Ascending => one.cmp(other),
            Order::Descending => other.cmp(one),
        }
    }

    /// How many entries this answer has. A call by position cannot page, so it gets all or is told how to.
    fn page_length(
        &self,
        context: &Context,
        fs: &Fs,
        path: &VirtualPath,
        total: usize,
    ) -> Result<usize, Fault> {
        let limits = fs.limits();
        if context.shape == Shape::Original && self.limit == 0 {
            if total > limits.entries_at_once {
                return Err(Fault::new(What::TooManyEntries, path));
            }
            return Ok(limits.entries_at_once);
        }
        Ok(if self.limit == 0 { limits.entries } else { self.limit.min(limits.entries) })
    }
}
