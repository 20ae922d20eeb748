//! A file that somebody writes to while it is read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::kept::Kept;

#[test]
fn a_file_that_changes_while_it_is_read_is_found_as_it_is_in_the_end() {
    let kept = Kept::new();
    kept.file("log.txt", "It begins.\n");
    kept.file("quiet.txt", "nobody writes here");
    let stop = Arc::new(AtomicBool::new(false));
    let (told, path) = (Arc::clone(&stop), kept.files().join("log.txt"));
    let writer = std::thread::spawn(move || {
        let mut log = OpenOptions::new().append(true).open(path).expect("it is there");
        let mut lines = 0;
        while !told.load(Ordering::Relaxed) {
            lines += 1;
            writeln!(log, "line number {lines} of many").expect("there is room");
            // Half a megabyte a second, as long as the test looks at it: below what a text may be.
            std::thread::sleep(std::time::Duration::from_micros(500));
        }
        writeln!(log, "the verylast of all").expect("there is room");
    });
    // What is never at rest holds nobody else up.
    let mut keeper = kept.start();
    harness::run(harness::until("the quiet one is found", async || {
        keeper.find("keyword", "nobody") == ["/quiet.txt"]
    }));
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("it wrote");
    drop(keeper);
    let mut keeper = kept.current();
    assert_eq!(keeper.find("keyword", "verylast"), ["/log.txt"]);
    assert_eq!(keeper.find("keyword", "begins"), ["/log.txt"]);
}
