//! The roots of a daemon, for who tries a part of it by itself.

use std::path::Path;

/// A file service whose only root is this folder, to be read.
///
/// # Panics
/// When it cannot be opened.
pub fn roots(folder: &Path) -> fs::Fs {
    let root = cluster_config::fs::Root {
        at: "/".to_owned(),
        path: folder.to_owned(),
        mode: cluster_config::fs::Mode::ReadOnly,
        tiers: Vec::new(),
    };
    let settings = cluster_config::fs::Fs { roots: vec![root], ..Default::default() };
    fs::Fs::open(&settings).expect("the folder is there")
}
