//! What is derived from the catalogue and checked in: METHODS.md and the capability files.

use std::collections::BTreeSet;
use std::fs;

use cluster_config::Environment;

use crate::{catalog, file};

/// The file is what is derived; `UPDATE=1` makes it so.
#[track_caller]
fn current(name: &str, derived: &str) {
    let path = file(name);
    if fs::read_to_string(&path).is_ok_and(|text| text == derived) {
        return;
    }
    assert!(
        Environment::process().get("UPDATE") == Some("1"),
        "{name} is stale: UPDATE=1 cargo test -p llmbasedos-tests --test catalog generated",
    );
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
    fs::write(path, derived).expect("the file can be written");
}

#[test]
fn the_manual_is_current() {
    let manual = catalog().manual();
    for entry in catalog().iter() {
        assert!(manual.contains(&format!("### {}\n", entry.name)), "{} is missing", entry.name);
    }
    current("protocol/METHODS.md", &manual);
}

#[test]
fn the_capability_files_are_current_and_no_others_are_there() {
    let mut expected = BTreeSet::new();
    for (service, description) in daemon::descriptions() {
        let derived = catalog().capability_file(service, description, env!("CARGO_PKG_VERSION"));
        let text = serde_json::to_string_pretty(&derived).expect("JSON can be written") + "\n";
        current(&format!("protocol/capabilities/{service}.cap.json"), &text);
        expected.insert(format!("{service}.cap.json"));
    }
    let there = fs::read_dir(file("protocol/capabilities")).expect("it was just looked into");
    let there: BTreeSet<_> =
        there.map(|found| found.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, expected);
}

#[test]
fn the_schema_of_workflows_is_current() {
    let text = serde_json::to_string_pretty(&workflow::schema()).expect("JSON can be written") + "\n";
    current("workflows/workflow.schema.json", &text);
}

#[test]
fn every_service_is_described() {
    let described: BTreeSet<_> =
        daemon::descriptions().into_iter().map(|(name, _)| name.to_owned()).collect();
    let mut services: BTreeSet<_> = catalog().services().into_iter().collect();
    // The gateway answers its own methods on every socket and publishes no file of its own, as the original.
    services.remove("gateway");
    assert_eq!(services, described);
}
