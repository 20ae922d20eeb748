//! SIGKILL at a hundred points: while files are read, while vectors are made, while graphs are built and put in use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use crate::kept::Kept;

const KILLS: usize = 100;

/// How often it is left alone until it is current, and asked about every file.
const LOOK_EVERY: usize = 20;

/// Files that change between two kills.
const CHANGES: usize = 12;

/// The files as they are, by their only word that no other file has.
type Files = BTreeMap<String, String>;

/// Writes, rewrites, renames and deletes some.
fn change(kept: &Kept, files: &mut Files, dice: &mut fastrand::Rng, next: &mut usize) {
    for _ in 0..CHANGES {
        let paths: Vec<String> = files.keys().cloned().collect();
        let some = (!paths.is_empty()).then(|| paths[dice.usize(..paths.len())].clone());
        match (some, dice.u8(..10)) {
            (Some(path), 0) => {
                fs::remove_file(kept.files().join(&path)).expect("it is there");
                files.remove(&path);
            }
            (Some(path), 1) => {
                let to = format!("moved/{}", path.replace('/', "-"));
                fs::create_dir_all(kept.files().join("moved")).expect("a folder");
                fs::rename(kept.files().join(&path), kept.files().join(&to)).expect("it is there");
                let word = files.remove(&path).expect("it is known");
                files.insert(to, word);
            }
            (some, kind) => {
                *next += 1;
                let path = some.filter(|_| kind == 2).unwrap_or_else(|| format!("{}/{next}.txt", *next % 7));
                let word = format!("word{next}");
                kept.file(&path, format!("special text of {word}\n"));
                files.insert(path, word);
            }
        }
    }
}

#[test]
fn an_index_that_is_killed_anywhere_agrees_with_the_files_and_makes_nothing_twice() {
    let (kept, mut files, mut next) = (Kept::new(), Files::new(), 0);
    let seed = fastrand::u64(..);
    println!("dice: {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let (mut committed, mut seen, mut interrupted) = (BTreeSet::new(), 0, 0);
    for kill in 1..=KILLS {
        change(&kept, &mut files, &mut dice, &mut next);
        let keeper = kept.start();
        if kill % LOOK_EVERY == 0 {
            agrees(&kept, keeper, &files);
        } else {
            // From before its first line of work until it is long done.
            std::thread::sleep(Duration::from_micros(dice.u64(..400_000)));
            keeper.kill();
        }
        let embedded = kept.embedded();
        let new = &embedded[seen..];
        let twice: Vec<_> = new.iter().filter(|text| committed.contains(*text)).collect();
        assert!(twice.is_empty(), "kill {kill}: committed and made again: {twice:?}");
        interrupted += usize::from(!new.is_empty());
        seen = embedded.len();
        committed = kept.committed();
    }
    println!(
        "{seen} vectors made in {interrupted} of {KILLS} lives, {} kept, {} files",
        committed.len(),
        files.len()
    );
    assert!(interrupted > KILLS / 4, "most of them were killed before they did anything");
    let parts = fs::read_dir(kept.state().join("index")).expect("graphs were built").count();
    assert_eq!(parts, 1);
}

/// Lets it get current, and asks for every file.
fn agrees(kept: &Kept, mut keeper: crate::kept::Keeper, files: &Files) {
    keeper.get_current();
    let status = keeper.status();
    assert_eq!((status.files, status.skipped, status.behind.as_str()), (files.len(), 0, "-"));
    assert_eq!(status.vectors, status.texts, "every text can be found by meaning");
    for (path, word) in files {
        let path = format!("/{path}");
        assert_eq!(keeper.find("keyword", word), [path.as_str()], "{word}");
        let near = keeper.find("semantic", word);
        assert!(near.contains(&path), "{word}: {near:?}");
    }
    assert!(keeper.find("keyword", "word0").is_empty());
    assert!(kept.state().join("index").exists());
}
