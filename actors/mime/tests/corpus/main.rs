//! Whole messages: ours with what is read of them beside them, and other people's compared with Python's email package.

mod golden;
mod python;
mod shown;

use std::path::{Path, PathBuf};

/// The folder of these tests.
fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The messages in a folder and below it, by name.
fn messages(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a message"))
        })
        .collect();
    found.sort();
    found
}
