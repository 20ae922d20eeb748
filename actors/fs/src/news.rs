//! Which directories have changed since they were looked at: the kernel's word (inotify), asked for and never waited for.
//!
//! The kernel notes a change before the call that made it returns, so whoever asks afterwards hears of it. A watch ends
//! with its first news: of a directory that changes all day no more than two notes wait here, read or unread.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Everything that changes a name in a directory, or the size, time or kind of a file in it. What is written through a
/// mapping is told when the file is closed.
const ANY_CHANGE: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::ONESHOT)
    .union(WatchFlags::ONLYDIR);

/// What the kernel calls a watch. A number is not given again while anybody could remember it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watch(i32);

/// What there is to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// This one has changed, and its watch has ended.
    Changed(Watch),
    /// So much has changed that the kernel did not keep count.
    Everything,
}

/// Watches on directories, by their handles.
#[derive(Debug)]
pub(crate) struct News(OwnedFd);

// === impl News ===

impl News {
    /// An ear at the kernel; `None` where it has none left to give.
    pub(crate) fn begin() -> Option<Self> {
        inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok().map(Self)
    }

    /// From now on, the next change of `dir` is heard of. `None` where that cannot be had.
    pub(crate) fn watch(&self, dir: BorrowedFd<'_>) -> Option<Watch> {
        // The kernel takes a path only; this one leads to what is open, whatever its name leads to by now.
        let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
        inotify::add_watch(&self.0, path, ANY_CHANGE).ok().map(Watch)
    }

    /// Ends a watch of which nothing was heard.
    pub(crate) fn forget(&self, watch: Watch) {
        // An error says that it has ended by itself.
        let _ = inotify::remove_watch(&self.0, watch.0);
    }

    /// Tells what has changed until now.
    pub(crate) fn hear(&self, mut tell: impl FnMut(Heard)) {
        let mut buffer = [const { MaybeUninit::uninit() }; 1024];
        let mut reader = Reader::new(&self.0, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => tell(Heard::Everything),
                Ok(event) => tell(Heard::Changed(Watch(event.wd()))),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Not to be able to hear is not to have heard that all is well.
                Err(_) => return tell(Heard::Everything),
            }
        }
    }
}
