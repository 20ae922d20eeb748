//! Tests quantified over every method: whoever adds one gets them all without writing a line.
//!
//! The first modules read the catalogue alone, the last ones call every method of a running daemon. What holds for
//! one method only is tested where the method is.

mod declared;
mod generated;
mod good;
mod junk;
mod refused;
mod sample;
mod schema;
mod tiers;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use protocol::Catalog;

/// Everything that is built in.
fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        // The catalogue keeps the folder open for as long as it needs it.
        let scratch = tempfile::tempdir().expect("a folder for the catalogue");
        daemon::catalog(scratch.path().to_owned()).expect("the built-in methods")
    });
    &CATALOG
}

/// The repository's folder.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// A file of the repository.
fn file(name: &str) -> PathBuf {
    repository().join(name)
}

/// Fails with everything that is wrong at once.
#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
