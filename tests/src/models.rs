//! The embedding model, where the project's own script puts it.

use std::path::PathBuf;
use std::process::Command;

/// The folder that `make model` fills, from the cache that it keeps.
///
/// # Panics
/// When it cannot be had.
pub fn models() -> PathBuf {
    let fetch = concat!(env!("CARGO_MANIFEST_DIR"), "/../actors/embedding/fetch/model");
    let ended = Command::new(fetch).output().expect("bash is here");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    PathBuf::from(String::from_utf8_lossy(&ended.stdout).trim())
}
