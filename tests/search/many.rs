//! Many files at once, and one that is very long.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use crate::kept::Kept;

const FILES: usize = 100_000;

#[test]
fn a_hundred_thousand_renamed_files_are_not_read_again() {
    let kept = Kept::new();
    for n in 0..FILES {
        // A hundred texts among them: it is about files.
        kept.file(&format!("before/{:02}/{n}.txt", n % 100), format!("text number {}", n % 100));
    }
    let begun = Instant::now();
    let mut keeper = kept.current();
    println!("{FILES} files read in {:.1?}", begun.elapsed());
    assert_eq!(keeper.status().files, FILES);
    drop(keeper);

    fs::rename(kept.files().join("before"), kept.files().join("after")).expect("it is there");
    let begun = Instant::now();
    let mut keeper = kept.current();
    println!("and renamed in {:.1?}", begun.elapsed());
    let status = keeper.status();
    assert_eq!((status.files, status.read), (FILES, 0), "known by what they are");
    assert_eq!(kept.embedded().len(), 100, "one vector a text");
    let found = keeper.find("keyword", "number");
    assert!(!found.is_empty() && found.iter().all(|path| path.starts_with("/after/")), "{found:?}");
}

#[test]
fn a_file_of_four_gigabytes_is_skipped_by_its_length() {
    let kept = Kept::new();
    kept.file("notes.txt", "a short text");
    let mut long = fs::File::create(kept.files().join("long.txt")).expect("a file");
    long.write_all(b"It begins with words.\n").expect("there is room");
    // Sparse: it costs the disk nothing, and reading it would cost minutes.
    long.set_len(4 << 30).expect("there is room");
    let mut keeper = kept.current();
    let status = keeper.status();
    assert_eq!((status.files, status.skipped), (1, 1));
    assert_eq!(keeper.find("keyword", "short"), ["/notes.txt"]);
}
