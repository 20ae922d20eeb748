//! The official conformance suite: all server scenarios of both revisions, those that count and those that are
//! merely reported, without one failed check and without one warning.

use std::path::{Path, PathBuf};

use harness::daemon::text;
use harness::{Setup, Tools, run};
use serde_json::Value;

/// Longer than the suite takes on a slow machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(3);

/// What the suite checks at least: it cannot pass by running nothing.
const CHECKS_LEGACY: usize = 80;
const CHECKS_MODERN: usize = 190;

/// Every check in the output of the suite: its scenario and itself.
fn checks(out: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for file in files(out).into_iter().filter(|file| file.ends_with("checks.json")) {
        let text = std::fs::read_to_string(&file).expect("it is there");
        let checks: Vec<Value> = serde_json::from_str(&text).expect("a list of checks");
        let scenario = file.parent().and_then(Path::file_name).expect("a folder for each scenario");
        found.extend(checks.into_iter().map(|check| (scenario.to_string_lossy().into_owned(), check)));
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the suite's folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn passes(revision: &str, at_least: usize) {
    Tools::get();
    run(async {
        // The suite has no token to show, and waits for a stream to be closed on it.
        let setup = Setup {
            settings: "mcp:\n  stream_seconds: 2\n".into(),
            environment: vec![("LLMBDO_AUTH_LOOPBACK", "open".into())],
            arguments: vec!["--conformance".into()],
            ..Setup::default()
        };
        let daemon = setup.start().await;
        let out = tempfile::tempdir().expect("a folder for the test");
        let mut suite = Tools::get().bin_of_node("conformance");
        suite.args([
            "server",
            "--requirements",
            revision,
            "--url",
            &format!("http://{}/mcp", daemon.address),
        ]);
        let output = suite.arg("-o").arg(out.path()).current_dir(out.path()).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let checks = checks(out.path());
        let is = |check: &Value, status: &str| {
            check["status"].as_str().is_some_and(|is| is.eq_ignore_ascii_case(status))
        };
        let bad = checks.iter().filter(|(_, check)| is(check, "FAILURE") || is(check, "WARNING"));
        let bad: Vec<_> = bad.map(|(scenario, check)| format!("{scenario}: {check:#}")).collect();
        assert!(bad.is_empty(), "{} of {} checks:\n{}", bad.len(), checks.len(), bad.join("\n"));
        let passed = checks.iter().filter(|(_, check)| is(check, "SUCCESS")).count();
        assert!(passed >= at_least, "only {passed} checks were made:\n{said}");
        assert!(output.status.success(), "{}:\n{said}", output.status);
    });
}

#[test]
fn of_2025_11_25() {
    passes("2025-11-25", CHECKS_LEGACY);
}

#[test]
fn of_2026_07_28() {
    passes("2026-07-28", CHECKS_MODERN);
}
