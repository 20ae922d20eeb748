//! The rules of the repository, as tests: who may import whom, what a source file looks like, what stands where.
//!
//! They read files and `cargo metadata`, never a running daemon. A rule that is in the way is changed here, with
//! its reason.

mod crates;
mod imports;
mod links;
mod places;
mod secrets;
mod sources;

use std::fs;
use std::path::Path;
use std::process::Command;

/// The repository's folder.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// What a program says; it runs in the repository.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(repository()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("a program that speaks UTF-8")
}

/// Every file that is in the repository or would be with the next commit, by its path.
fn files() -> Vec<String> {
    let listed = output("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = listed.split('\0').filter(|name| !name.is_empty());
    let mut names: Vec<_> =
        names.filter(|name| repository().join(name).is_file()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Those of them that are text and whose name ends in `ending`, with their text.
fn texts(ending: &str) -> Vec<(String, String)> {
    let named = files().into_iter().filter(|name| name.ends_with(ending));
    named
        .filter_map(|name| fs::read_to_string(repository().join(&name)).ok().map(|text| (name, text)))
        .collect()
}

/// Fails with everything that breaks a rule at once.
#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
