//! What stands at the top of the repository: what the design fixes, and the customary files beside it.

use std::collections::BTreeSet;

use crate::{files, none};

/// Fixed by the design.
const FIXED: &[&str] =
    &["Cargo.toml", "README.md", "actors", "cluster-config", "protocol", "runtime", "tests"];

/// Fixed too, and there as soon as something is in them: git does not keep empty folders.
const TO_COME: &[&str] = &["docker", "iso", "workflows"];

/// Customary.
const CUSTOMARY: &[&str] =
    &["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "Cargo.lock", "LICENSE", "Makefile"];

#[test]
fn the_top_of_the_repository_is_what_the_design_fixes() {
    let files = files();
    let there: BTreeSet<_> = files.iter().filter_map(|name| name.split('/').next()).collect();
    let allowed = |name: &&str| {
        name.starts_with('.') || [FIXED, TO_COME, CUSTOMARY].iter().any(|known| known.contains(name))
    };
    let foreign =
        there.iter().filter(|name| !allowed(name)).map(|name| format!("{name} does not belong here"));
    let missing = FIXED.iter().filter(|name| !there.contains(*name));
    let missing = missing.map(|name| format!("{name} is missing"));
    none(&foreign.chain(missing).collect::<Vec<_>>());
}

#[test]
fn every_service_has_one_anatomy() {
    let files = files();
    let mut wrong = Vec::new();
    for manifest in files.iter().filter(|name| name.starts_with("actors/") && name.ends_with("/Cargo.toml")) {
        let lib = manifest.replace("Cargo.toml", "src/lib.rs");
        if !files.contains(&lib) {
            wrong.push(format!("{lib} is missing"));
        }
    }
    none(&wrong);
}
