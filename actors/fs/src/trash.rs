//! The trash of a root: what was deleted, with enough beside it to put it back.
//!
//! It is a directory in the root itself, because only there is moving something in one rename, whatever its size.
//! For every item there are two names: `ID.json`, written and synced before the item moves in, and `ID`, the item.
//! So a crash leaves at worst a note without an item, which the sweep removes, and never an item that nobody can
//! account for. No other method sees or reaches the directory.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use jiff::Timestamp;
use protocol::Cancel;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, fsync, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, DIRECTORY, TO_READ};
use crate::draft::{self, Onto};
use crate::fault::{At as _, Fault, What};
use crate::files::Parent;
use crate::path::VirtualPath;
use crate::remove;
use crate::roots::Root;

/// The trash in a root.
pub(crate) const TRASH: &str = ".llmbasedos-trash";

/// A note is a few hundred bytes; whatever is larger is none.
const NOTE_BYTES_MAX: usize = 64 * 1024;

/// The opened trash of one root.
#[derive(Debug)]
pub(crate) struct Trash {
    dir: OwnedFd,
    /// The root, for messages.
    at: VirtualPath,
}

/// What is known of one item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Names the item in later calls. Begins with the time, so that ids sort by it.
    pub(crate) id: String,
    /// Where it was, relative to its root, so that the note holds when the root is mounted elsewhere.
    pub(crate) inside: String,
    pub(crate) deleted_at: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) size: i64,
}

// === impl Trash ===

impl Trash {
    /// The root's trash; `None` where nothing was ever deleted.
    pub(crate) fn open(root: &Root) -> Result<Option<Self>, Fault> {
        match beneath::child(&root.dir, TRASH, DIRECTORY) {
            Ok(dir) => Ok(Some(Self { dir, at: root.at.clone() })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Fault::errno(errno, &root.at)),
        }
    }

    /// The root's trash, created where it is missing.
    pub(crate) fn open_or_create(root: &Root) -> Result<Self, Fault> {
        match mkdirat(&root.dir, TRASH, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Fault::errno(errno, &root.at)),
        }
        Self::open(root)?.ok_or_else(|| Fault::new(What::NotFound, &root.at))
    }

    /// Moves what `parent` names in.
    pub(crate) fn take(
        &self,
        parent: &Parent<'_>,
        inside: &str,
        found: &Attributes,
    ) -> Result<String, Fault> {
        let deleted_at = Timestamp::now();
        let note = Note {
            id: new_id(deleted_at),
            inside: inside.to_owned(),
            deleted_at,
            kind: found.kind,
            size: found.size(),
        };
        self.write(&note)?;
        let moved = draft::rename(&parent.dir, parent.name, &self.dir, &note.id, Onto::Nothing);
        if let Err(errno) = moved {
            let _ = unlinkat(&self.dir, note.file(), AtFlags::empty());
            return Err(match errno {
                Errno::XDEV => Fault::new(What::NoTrashHere, parent.path),
                other => Fault::errno(other, parent.path),
            });
        }
        fsync(&parent.dir).at(parent.path)?;
        fsync(&self.dir).at(&self.at)?;
        Ok(note.id)
    }

    /// Moves an item out, to the free name that `parent` names.
    pub(crate) fn give_back(&self, note: &Note, parent: &Parent<'_>) -> Result<(), Fault> {
        draft::rename(&self.dir, &note.id, &parent.dir, parent.name, Onto::Nothing).map_err(|errno| {
            match errno {
                Errno::EXIST => Fault::new(What::Exists, parent.path),
                Errno::XDEV => Fault::new(What::NoTrashHere, parent.path),
                other => Fault::errno(other, parent.path),
            }
        })?;
        fsync(&parent.dir).at(parent.path)?;
        let _ = unlinkat(&self.dir, note.file(), AtFlags::empty());
        Ok(())
    }

    /// Removes an item for good.
    fn discard(&self, note: &Note, cancel: &Cancel) -> Result<(), Fault> {
        remove::tree(&self.dir, &note.id, &self.at, cancel)?;
        let _ = unlinkat(&self.dir, note.file(), AtFlags::empty());
        Ok(())
    }

    /// Removes for good what has been here for `days`; how many items that was.
    pub(crate) fn discard_older(&self, days: u32, now: Timestamp, cancel: &Cancel) -> Result<u64, Fault> {
        let mut removed = 0;
        for id in self.ids(cancel)? {
            if let Some(note) = self.note(&id).filter(|note| note.older_than(days, now)) {
                self.discard(&note, cancel)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The note of the item `id`.
    pub(crate) fn note(&self, id: &str) -> Option<Note> {
        // An id is letters, digits and dashes: it can name nothing but an item.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let file = beneath::child(&self.dir, format!("{id}.json"), TO_READ).ok()?;
        let mut text = vec![0; NOTE_BYTES_MAX];
        let bytes = rustix::io::pread(&file, text.as_mut_slice(), 0).ok()?;
        let note: Note = serde_json::from_slice(&text[..bytes]).ok()?;
        // Without its item a note says nothing.
        (note.id == id && Attributes::at(&self.dir, id).is_ok()).then_some(note)
    }

    /// The ids of all notes, newest first.
    pub(crate) fn ids(&self, cancel: &Cancel) -> Result<Vec<String>, Fault> {
        let mut ids = Vec::new();
        for entry in Dir::read_from(&self.dir).at(&self.at)? {
            Fault::unless_cancelled(cancel)?;
            let entry = entry.at(&self.at)?;
            if let Some(id) = entry.file_name().to_str().ok().and_then(|name| name.strip_suffix(".json")) {
                ids.push(id.to_owned());
            }
        }
        ids.sort_unstable_by(|one, other| other.cmp(one));
        Ok(ids)
    }

    /// Removes notes whose items never came.
    pub(crate) fn sweep(&self, cancel: &Cancel) -> Result<u64, Fault> {
        let mut removed = 0;
        for id in self.ids(cancel)? {
            let old = Attributes::at(&self.dir, format!("{id}.json")).is_ok_and(|note| is_old(&note));
            if old && Attributes::at(&self.dir, id.as_str()).err() == Some(Errno::NOENT) {
                removed += u64::from(unlinkat(&self.dir, format!("{id}.json"), AtFlags::empty()).is_ok());
            }
        }
        Ok(removed)
    }

    fn write(&self, note: &Note) -> Result<(), Fault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let text = serde_json::to_vec(note).unwrap_or_default();
        let file = openat(&self.dir, note.file(), flags, Mode::RUSR | Mode::WUSR).at(&self.at)?;
        let mut file = File::from(file);
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = unlinkat(&self.dir, note.file(), AtFlags::empty());
        }
        written.at(&self.at)?;
        fsync(&self.dir).at(&self.at)
    }
}

// === impl Note ===

impl Note {
    fn file(&self) -> String {
        format!("{}.json", self.id)
    }

    /// Where it was, as a virtual path.
    pub(crate) fn path(&self, root: &Root) -> Option<VirtualPath> {
        let slash = if root.at.is_top() { "" } else { "/" };
        format!("{}{slash}{}", root.at, self.inside).parse().ok()
    }

    /// Whether it has been in the trash for `days`.
    fn older_than(&self, days: u32, now: Timestamp) -> bool {
        now.duration_since(self.deleted_at) >= jiff::SignedDuration::from_hours(i64::from(days) * 24)
    }
}

/// Whether something unfinished has been left alone for so long that nobody works on it any more.
pub(crate) fn is_old(found: &Attributes) -> bool {
    const SECONDS: i64 = 60;
    Timestamp::now().as_second() - found.modified.0 > SECONDS
}

/// `20260131T120000123456-0123456789abcdef`.
fn new_id(now: Timestamp) -> String {
    let time: String = crate::attributes::iso(now)
        .split('+')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("{time}-{}", draft::random_letters())
}
