//! What can go wrong with a person's files, and the only place that turns it into codes and sentences.
//!
//! Every sentence speaks of virtual paths. A host path never gets here: callers hand over the path that the
//! client wrote, and the operating system's own text goes to the operator's log.

use std::io;

use protocol::{Cancel, Code, Error};
use rustix::io::Errno;
use serde_json::json;

use crate::path::{BadPath, VirtualPath};

/// A file operation that did not happen.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The path is none.
    BadPath(BadPath),
    /// What lies at the path is not what the call needs.
    Refused {
        /// In which way.
        what: What,
        /// The virtual path.
        path: String,
    },
    /// `if_match` did not match.
    Conflict {
        /// The virtual path.
        path: String,
        /// What the caller expects.
        expected: String,
        /// What is there; `None`: nothing, or nothing that has an etag.
        actual: Option<String>,
    },
    /// An edit whose `old` is not there, or not there once.
    NoMatch {
        /// The virtual path.
        path: String,
        /// Which edit, from 0.
        edit: usize,
        /// How often it was found.
        found: usize,
        /// What to do.
        advice: &'static str,
    },
    /// A size limit of this service.
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
        /// Of what the limit is a number.
        unit: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// A parameter that the schema cannot judge.
    Params(String),
    /// The operating system's no, where nothing better can be said.
    Io {
        /// The virtual path.
        path: String,
        /// For the log.
        source: io::Error,
    },
    /// The answer is no longer wanted.
    Cancelled,
}

macro_rules! whats {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:ident, $label:literal, $text:literal;)+) => {
        /// In which way something is not what the call needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum What { $($(#[doc = $doc])+ $name,)+ }

        impl What {
            fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)+ }
            }

            /// What `data.kind` says.
            fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            fn sentence(self, path: &str) -> String {
                match self { $(Self::$name => format!($text, path = path),)+ }
            }
        }
    };
}

whats! {
    /// Nothing there, or nothing that this caller may know of.
    NotFound = FsPath, "not_found", "'{path}' does not exist.";
    /// A directory is needed.
    NotADirectory = FsPath, "not_a_directory", "'{path}', or something above it, is not a directory.";
    /// A file is needed.
    IsADirectory = FsPath, "is_a_directory", "'{path}' is a directory, not a file.";
    /// Changes never go through links.
    Link = FsPath, "link", "'{path}' is a link, and nothing is changed through links. Name what it leads to, or delete the link first.";
    /// More links than the kernel follows.
    Loop = FsPath, "link_loop", "'{path}' leads through too many links.";
    /// A FIFO, socket or device.
    Special = FsPath, "special_file", "'{path}' is not a regular file (a pipe, socket or device); such files are never opened.";
    /// A tree that cannot be copied.
    HoldsSpecial = FsPath, "special_file", "'{path}' is or holds a pipe, socket or device, which cannot be copied.";
    /// No such item.
    NotInTrash = FsPath, "not_in_trash", "The trash has no item '{path}'. mcp.fs.trash lists what it has.";
    /// A link there leads out of the root.
    Outside = FsPath, "outside", "'{path}' is outside allowed access boundaries: a link in it leads out of its root.";
    /// Something is there already.
    Exists = FsPath, "exists", "'{path}' exists already. Use overwrite=true to replace a file, or choose another name.";
    /// Directories are neither merged nor replaced.
    NotReplaceable = FsPath, "exists", "'{path}' exists already, and a directory is neither merged nor replaced. Delete it first, or choose another name.";
    /// The original's words.
    NotEmpty = FsPath, "not_empty", "Directory '{path}' not empty. Use recursive=true to delete.";
    /// Copying a directory must be meant.
    NeedsRecursive = FsPath, "is_a_directory", "'{path}' is a directory. Use recursive=true to copy it with all it holds.";
    /// A root or mount point.
    Protected = FsPath, "protected", "'{path}' is a root itself: it can be neither deleted, moved nor replaced.";
    /// A directory into itself.
    IntoItself = FsPath, "into_itself", "'{path}' cannot be moved or copied into itself.";
    /// The original's words.
    NotText = FsPath, "not_utf8", "File '{path}' is not valid UTF-8. Try 'base64' encoding.";
    /// A name that nobody should make.
    BadName = FsPath, "bad_name", "'{path}' cannot be created: its name has control characters.";
    /// The kernel found it too long after all.
    TooLong = FsPath, "too_long", "'{path}' is too long for the file system.";
    /// Trash of another device.
    NoTrashHere = FsPath, "no_trash", "'{path}' lies on another device than the trash of its root. Use permanent=true to delete it for good.";
    /// Deeper than a walk goes.
    TooDeep = FsPath, "too_deep", "'{path}' is nested too deeply.";
    /// It changed while it was copied.
    Changed = FsPath, "changed", "'{path}' changed while it was being copied; nothing was deleted. Try again.";
    /// More than a call without paging can answer.
    TooManyEntries = TooLarge, "too_many_entries", "'{path}' has too many entries for one answer. Call by name, {{\"path\": …, \"limit\": …}}, and go on with next_cursor.";
    /// The files before it filled the answer.
    NoRoomInAnswer = TooLarge, "no_room_in_answer", "'{path}' did not fit into this answer any more. Read it by itself.";
    /// More than a call without ranges can answer.
    TooManyBytes = TooLarge, "too_many_bytes", "'{path}' is too large for one answer. Call by name, {{\"path\": …, \"offset\": …}}, and go on with next_offset.";
    /// A read-only root, or file system.
    ReadOnly = FsPermission, "read_only", "'{path}' is in a read-only root.";
    /// A read-only file.
    WriteProtected = FsPermission, "write_protected", "'{path}' is write-protected by its file mode.";
    /// The operating system refused.
    Denied = FsPermission, "denied", "The operating system refuses this access to '{path}'.";
    /// A mount point of the host, a running program.
    Busy = FsPermission, "busy", "'{path}' is in use by the system, which does not let it be changed now.";
    /// No space, no quota, or a file size limit.
    NoSpace = FsNoSpace, "no_space", "No room left for '{path}'; what was there is unchanged. Free some space and try again.";
    /// No more handles.
    Exhausted = Overloaded, "exhausted", "Too many files are open to look at '{path}' now. Try again.";
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(what: What, path: &(impl ToString + ?Sized)) -> Self {
        Self::Refused { what, path: path.to_string() }
    }

    /// What the kernel's `errno` means for `path`.
    pub(crate) fn errno(errno: Errno, path: &(impl ToString + ?Sized)) -> Self {
        let what = match errno {
            Errno::NOENT => What::NotFound,
            Errno::NOTDIR => What::NotADirectory,
            Errno::ISDIR => What::IsADirectory,
            Errno::LOOP => What::Loop,
            Errno::XDEV => What::Outside,
            Errno::EXIST => What::Exists,
            Errno::NOTEMPTY => What::NotEmpty,
            Errno::NAMETOOLONG => What::TooLong,
            Errno::NXIO | Errno::NODEV => What::Special,
            Errno::ACCESS | Errno::PERM => What::Denied,
            Errno::ROFS => What::ReadOnly,
            // FBIG is `ulimit -f`.
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => What::NoSpace,
            Errno::BUSY | Errno::TXTBSY => What::Busy,
            // The one way in which our renames are invalid.
            Errno::INVAL => What::IntoItself,
            Errno::MFILE | Errno::NFILE => What::Exhausted,
            other => return Self::Io { path: path.to_string(), source: other.into() },
        };
        Self::new(what, path)
    }

    /// The same for an error of std or of cap-std, which reports an attempt to leave the root without `errno`.
    pub(crate) fn io(error: io::Error, path: &(impl ToString + ?Sized)) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => Self::errno(errno, path),
            None if error.kind() == io::ErrorKind::PermissionDenied => Self::new(What::Outside, path),
            None => Self::Io { path: path.to_string(), source: error },
        }
    }

    /// `Ok` as long as the answer is still wanted; asked in every turn of a loop over files, lines or chunks.
    pub(crate) fn unless_cancelled(cancel: &Cancel) -> Result<(), Self> {
        if cancel.is_cancelled() { Err(Self::Cancelled) } else { Ok(()) }
    }
}

/// `result.at(path)`: says which virtual path an operating system error is about.
pub(crate) trait At<T> {
    /// Names the path.
    fn at(self, path: &VirtualPath) -> Result<T, Fault>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, path: &VirtualPath) -> Result<T, Fault> {
        self.map_err(|errno| Fault::errno(errno, path))
    }
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &VirtualPath) -> Result<T, Fault> {
        self.map_err(|error| Fault::io(error, path))
    }
}

impl From<BadPath> for Fault {
    fn from(bad: BadPath) -> Self {
        Self::BadPath(bad)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::BadPath(bad) => {
                Self::new(Code::FsPath, bad.to_string()).with_data(json!({ "kind": bad.label() }))
            }
            Fault::Refused { what, path } => Self::new(what.code(), what.sentence(&path))
                .with_data(json!({ "kind": what.label(), "path": path })),
            Fault::Conflict { path, expected, actual } => Self::new(
                Code::FsConflict,
                format!("'{path}' is not what if_match expects; nothing was changed. Read it again and decide anew."),
            )
            .with_data(json!({ "kind": "conflict", "path": path, "expected": expected, "actual": actual })),
            Fault::NoMatch { path, edit, found, advice } => Self::new(
                Code::FsPath,
                format!(
                    "Edit {edit} (counted from 0) does not apply to '{path}': its `old` was found {found} times. \
                     Nothing was changed. {advice}"
                ),
            )
            .with_data(json!({ "kind": "no_match", "path": path, "edit": edit, "found": found })),
            Fault::TooLarge { what, limit, unit, advice } => {
                Self::new(Code::TooLarge, format!("{what} is over the limit of {limit} {unit}. {advice}"))
                    .with_data(json!({ "kind": "too_large", "limit": limit }))
            }
            Fault::Params(text) => Self::invalid_params(text),
            Fault::Io { path, source } => Self::internal(format!("'{path}': {source}")),
            Fault::Cancelled => Self::cancelled(),
        }
    }
}
