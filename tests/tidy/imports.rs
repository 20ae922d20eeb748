//! Who may import whom: arrows point to protocol/, and a new one is a change of the design (ARCHITECTURE.md).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{none, output, texts};

/// Everybody who has a rule of their own, and whom they may import. All but the last are without `llmbasedos-`.
const RULES: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("config", &["protocol"]),
    ("supervisor", &[]),
    ("store", &["protocol", "config"]),
    ("text", &[]),
    ("subprocess", &[]),
    ("reading", &["subprocess", "text"]),
    ("mime", &[]),
    ("vectors", &[]),
    ("calendar", &[]),
    ("workflow", &["protocol", "config"]),
    ("telemetry", &["protocol", "config"]),
    ("service", &["protocol", "supervisor"]),
    ("embedding", &["protocol", "config", "supervisor", "service", "telemetry", "subprocess"]),
    ("index", &["supervisor", "store", "reading", "vectors", "embedding"]),
    ("imap", &["config", "supervisor"]),
    ("smtp", &["config", "imap"]),
    ("outbound", &[]),
    ("containers", &[]),
    ("gateway", SERVICE),
    ("mcp", &["protocol", "supervisor", "service"]),
    ("edge", &["protocol", "config", "supervisor", "telemetry", "mcp"]),
    ("shell", &["protocol"]),
    ("conformance", &["protocol"]),
    ("embed", &["embedding", "reading", "subprocess", "supervisor", "text"]),
];

/// A service, which is every other crate below actors/: never another one, the gateway or an edge.
const SERVICE: &[&str] = &[
    "protocol",
    "config",
    "supervisor",
    "service",
    "store",
    "telemetry",
    "text",
    "calendar",
    "workflow",
    "subprocess",
    "reading",
    "mime",
    "vectors",
    "embedding",
    "index",
    "imap",
    "smtp",
    "outbound",
    "containers",
];

/// May import everything, and the daemon is imported by the tests alone.
const ABOVE_ALL: &[&str] = &["daemon", "tests"];

/// Who alone may name a crate that reaches far: what it may do is decided in one place.
const CONFINED: &[(&str, &str)] = &[("bollard", "containers")];

/// What would bring I/O, a runtime or actors into the words.
const NOT_IN_PROTOCOL: &[&str] = &[
    "tokio",
    "tokio-util",
    "ractor",
    "mio",
    "polling",
    "async-io",
    "async-std",
    "smol",
    "futures-util",
    "socket2",
    "hyper",
    "axum",
    "tungstenite",
    "reqwest",
    "ureq",
    "rustix",
    "nix",
    "cap-std",
    "walkdir",
    "tempfile",
    "notify",
    "rusqlite",
    "tracing-subscriber",
    "llmbasedos-config",
    "llmbasedos-supervisor",
];

/// Our packages: the name without `llmbasedos-`, the folder, and which of ours it imports.
fn packages() -> BTreeMap<String, (String, Vec<String>)> {
    let metadata = output("cargo", &["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo speaks JSON");
    let short = |name: &Value| name.as_str()?.strip_prefix("llmbasedos-").map(str::to_owned);
    let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    let package = |package: &Value| {
        let name = short(&package["name"]).expect("our packages are called llmbasedos-NAME");
        let manifest = package["manifest_path"].as_str().expect("a package has a manifest");
        let folder = manifest.strip_prefix(root).and_then(|path| path.strip_suffix("/Cargo.toml"));
        let imports = package["dependencies"].as_array().into_iter().flatten();
        let imports = imports.filter_map(|dependency| short(&dependency["name"]));
        (
            name,
            (
                folder.expect("ours are in the repository").trim_start_matches('/').to_owned(),
                imports.collect(),
            ),
        )
    };
    packages.iter().map(package).collect()
}

#[test]
fn every_crate_imports_only_whom_it_may() {
    let mut wrong = Vec::new();
    for (name, (folder, imports)) in packages() {
        if ABOVE_ALL.contains(&name.as_str()) {
            continue;
        }
        let rule = RULES.iter().find(|(who, _)| *who == name).map(|(_, whom)| *whom);
        let Some(rule) = rule.or_else(|| folder.starts_with("actors/").then_some(SERVICE)) else {
            wrong.push(format!("{folder} has no rule: say in tests/tidy/imports.rs whom it may import"));
            continue;
        };
        let forbidden = imports.iter().filter(|whom| !rule.contains(&whom.as_str()));
        wrong.extend(forbidden.map(|whom| format!("{folder} may not import {whom}")));
    }
    none(&wrong);
}

#[test]
fn what_reaches_far_is_named_in_one_place() {
    let mut wrong = Vec::new();
    for (crate_name, owner) in CONFINED {
        for (name, text) in texts("Cargo.toml") {
            let named = text.lines().any(|line| line.starts_with(crate_name));
            let allowed = name == "Cargo.toml" || name == format!("actors/{owner}/Cargo.toml");
            if named && !allowed {
                wrong.push(format!("{name} names {crate_name}, which is for actors/{owner} alone"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn programs_are_started_in_one_place() {
    let mut wrong = Vec::new();
    for (name, text) in texts(".rs") {
        let ours = name.contains("/src/") && !name.contains("/tests") && !name.starts_with("tests/");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        if ours && text.contains(".spawn()") && name != "actors/subprocess/src/started.rs" {
            wrong.push(format!("{name} starts a program: use subprocess::start, or process 1 buries it"));
        }
    }
    none(&wrong);
}

#[test]
fn nobody_imports_the_daemon_but_the_tests() {
    let importers =
        packages().into_iter().filter(|(_, (_, imports))| imports.iter().any(|whom| whom == "daemon"));
    assert_eq!(importers.map(|(name, _)| name).collect::<Vec<_>>(), ["tests"]);
}

#[test]
fn rules_are_for_crates_that_are_there() {
    let packages = packages();
    let gone = RULES.iter().map(|(who, _)| *who).chain(ABOVE_ALL.iter().copied());
    none(&gone.filter(|who| !packages.contains_key(*who)).map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn protocol_brings_no_io_with_it() {
    let tree = output(
        "cargo",
        &["tree", "--package", "llmbasedos-protocol", "--edges", "normal", "--offline", "--prefix", "none"],
    );
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"serde_json"), "the tree is read wrongly:\n{tree}");
    let found = NOT_IN_PROTOCOL.iter().filter(|banned| names.contains(banned));
    none(&found.map(|name| format!("protocol depends on {name}")).collect::<Vec<_>>());
}

#[test]
fn protocol_performs_no_io() {
    let signs = ["std::fs", "std::net", "std::env", "std::process", "std::os", "SystemTime", "println!"];
    let mut wrong = Vec::new();
    for (name, text) in texts(".rs").iter().filter(|(name, _)| name.starts_with("protocol/src/")) {
        wrong.extend(
            signs.iter().filter(|sign| text.contains(*sign)).map(|sign| format!("{name} has {sign}")),
        );
    }
    none(&wrong);
}
