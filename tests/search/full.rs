//! The disk of the index is full: that is said, what is kept answers, and when there is room it is made good.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kept::Kept;

/// A small disk, mounted as long as this lives. That takes root, or a CI that is it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, bytes: u64) -> Self {
        fs::create_dir_all(at).expect("a folder");
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(at).status();
        assert!(mounted.expect("mount is here").success(), "a disk takes root");
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn with_its_disk_full_the_index_says_so_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().expect("a folder");
    let disk = SmallDisk::mount(&place.path().join("disk"), 3 << 20);
    let kept = Kept::with_state(&disk.0);
    kept.file("first.txt", "the first of all");
    drop(kept.current());
    for n in 0..400 {
        kept.file(&format!("{n}.txt"), format!("special text of word{n} {}", "and more ".repeat(400)));
    }
    let mut keeper = kept.current();
    let status = keeper.status();
    assert!(status.behind.contains("cannot be kept"), "{status:?}");
    assert!(status.files < 401);
    assert_eq!(keeper.find("keyword", "first"), ["/first.txt"], "what is kept answers");
    drop(keeper);

    // Half of it may go.
    for n in 40..400 {
        fs::remove_file(kept.files().join(format!("{n}.txt"))).expect("it is there");
    }
    let mounted = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk.0).status();
    assert!(mounted.expect("mount is here").success());
    let mut keeper = kept.current();
    let status = keeper.status();
    assert_eq!((status.files, status.behind.as_str()), (41, "-"));
    assert_eq!(status.vectors, status.texts);
    assert_eq!(keeper.find("keyword", "word39"), ["/39.txt"]);
}
