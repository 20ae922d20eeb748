//! One process of an instance does a thing: whoever holds the lock.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// The lock file at `path`, made if it is not there: this process's as long as the answer is kept, `None` while it is
/// another's. The kernel takes it back when the process ends, however it ends.
///
/// # Errors
/// When the file cannot be opened or locked at all.
pub fn sole(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().create(true).append(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.lock");
        let held = sole(&path).unwrap();
        assert!(held.is_some());
        assert!(sole(&path).unwrap().is_none(), "another open file is another owner");
        drop(held);
        assert!(sole(&path).unwrap().is_some());
        assert!(sole(&folder.path().join("gone/it.lock")).is_err());
    }
}
