//! The manifests: one version, one set of lints, and the profile that supervision depends on.

use crate::{none, texts};

/// What every crate takes from the workspace.
const SHARED: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
    "publish.workspace = true",
    "[lints]\nworkspace = true",
];

/// The workspace's own manifest, and all others. The fuzz targets are a workspace of their own, for their compiler.
fn manifests() -> (String, Vec<(String, String)>) {
    let (mut root, mut others) = (None, Vec::new());
    for (name, text) in texts("Cargo.toml") {
        match name.as_str() {
            "Cargo.toml" => root = Some(text),
            "protocol/fuzz/Cargo.toml" => {}
            _ => others.push((name, text)),
        }
    }
    (root.expect("the workspace has a manifest"), others)
}

/// The lines of one section.
fn section<'a>(manifest: &'a str, head: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != head).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::trim).collect()
}

#[test]
fn every_crate_inherits_version_and_lints() {
    let mut wrong = Vec::new();
    for (name, text) in manifests().1 {
        wrong.extend(
            SHARED.iter().filter(|line| !text.contains(*line)).map(|line| format!("{name}: no {line:?}")),
        );
        if !section(&text, "[package]").iter().any(|line| line.starts_with("description = \"")) {
            wrong.push(format!("{name}: no description"));
        }
    }
    none(&wrong);
}

#[test]
fn every_crate_is_a_member() {
    let (root, others) = manifests();
    let member = |name: &str| format!("\"{}\",", name.trim_end_matches("/Cargo.toml"));
    let missing = others.iter().filter(|(name, _)| !root.contains(&member(name)));
    none(&missing.map(|(name, _)| format!("{name} is no member of the workspace")).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_is_forbidden() {
    let (root, _) = manifests();
    assert!(section(&root, "[workspace.lints.rust]").contains(&"unsafe_code = \"forbid\""));
}

#[test]
fn panics_unwind_in_every_profile() {
    let (root, others) = manifests();
    assert!(
        section(&root, "[profile.release]").contains(&"panic = \"unwind\""),
        "supervision restarts what panicked"
    );
    let aborts = |text: &str| text.lines().any(|line| line.replace(' ', "").starts_with("panic=\"abort\""));
    let wrong = others.iter().filter(|(_, text)| aborts(text)).map(|(name, _)| name.clone());
    none(&wrong.chain(aborts(&root).then(|| "Cargo.toml".to_owned())).collect::<Vec<_>>());
}

#[test]
fn every_ban_names_its_reason() {
    let bans = texts(".clippy.toml").into_iter().flat_map(|(_, text)| {
        text.lines().filter(|line| line.contains("path = ")).map(str::to_owned).collect::<Vec<_>>()
    });
    let bans: Vec<_> = bans.collect();
    assert!(bans.len() > 3, "the bans are read wrongly: {bans:?}");
    none(&bans.into_iter().filter(|line| !line.contains("reason = \"")).collect::<Vec<_>>());
}

#[test]
fn the_lock_file_is_there() {
    assert_eq!(texts("Cargo.lock").iter().filter(|(name, _)| name == "Cargo.lock").count(), 1);
}
