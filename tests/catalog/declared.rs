//! What a method says about itself: its name, its tool's name, its description, its annotations, and that it is in
//! the catalogue at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use protocol::Entry;

use crate::{catalog, file, none};

/// Hosts put the server's name before a tool's and allow 64 characters for both.
const TOOL_NAME_MAX: usize = 40;

/// A description costs every client its tokens at every start.
const DESCRIPTION_MAX: usize = 2048;

#[test]
fn names_have_one_form() {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let service = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let fine = |entry: &Entry| match entry.name.split('.').collect::<Vec<_>>()[..] {
        ["mcp", name] => letters(name) && entry.service == "gateway",
        ["mcp", prefix, name] => {
            service(prefix) && letters(name) && (entry.service == prefix || entry.service == "gateway")
        }
        _ => false,
    };
    let wrong: Vec<_> =
        catalog().iter().filter(|entry| !fine(entry)).map(|entry| entry.name.clone()).collect();
    none(&wrong);
}

#[test]
fn tool_names_are_short_plain_and_unique() {
    let mut seen = BTreeSet::new();
    let mut fine = |tool: &str| {
        tool.len() <= TOOL_NAME_MAX
            && tool.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && seen.insert(tool.to_owned())
    };
    let wrong: Vec<_> = catalog().iter().map(|entry| entry.tool_name()).filter(|tool| !fine(tool)).collect();
    none(&wrong);
}

#[test]
fn descriptions_are_sentences() {
    let complaint = |entry: &Entry| {
        let text = entry.description.as_str();
        let why = if !text.starts_with(|c: char| c.is_ascii_uppercase()) {
            "does not begin with a capital"
        } else if text.split("\n\n").any(|paragraph| !paragraph.ends_with('.')) {
            "has a paragraph that does not end with a full stop"
        } else if text.len() >= DESCRIPTION_MAX {
            "is too long"
        } else {
            return noise(text).map(|noise| format!("{}: has {noise}: {text}", entry.name));
        };
        Some(format!("{}: {why}: {text}", entry.name))
    };
    none(&catalog().iter().filter_map(|entry| complaint(entry)).collect::<Vec<_>>());
}

/// What is for readers of the source only.
pub(crate) fn noise(text: &str) -> Option<&'static str> {
    let signs = [
        ("[`", "a link of rustdoc"),
        ("`]", "a link of rustdoc"),
        ("TODO", "a TODO"),
        ("  ", "two spaces"),
        ("::", "a path of Rust"),
    ];
    signs.iter().find(|(sign, _)| text.contains(sign)).map(|(_, what)| *what)
}

#[test]
fn annotations_do_not_contradict_each_other() {
    let complaint = |entry: &Entry| {
        let effect = entry.effect;
        let why = if effect.read_only && effect.destructive {
            "destroys and changes nothing"
        } else if effect.read_only && !effect.idempotent {
            "changes nothing, and twice is not once"
        } else {
            return None;
        };
        Some(format!("{}: {why}", entry.name))
    };
    none(&catalog().iter().filter_map(|entry| complaint(entry)).collect::<Vec<_>>());
}

/// The names that `impl Method for` gives, by file, of every crate that has methods.
fn written_down() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for actor in fs::read_dir(file("actors")).expect("actors/ is there") {
        let folder = actor.expect("a folder").path().join("src/methods");
        for method in fs::read_dir(&folder).into_iter().flatten() {
            let path = method.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a source file");
            let named = |line: &str| {
                let rest = line.trim().strip_prefix("const NAME: &'static str = \"")?;
                rest.strip_suffix("\";").map(str::to_owned)
            };
            let names: Vec<_> = text.lines().filter_map(named).collect();
            assert_eq!(names.len(), text.matches("impl Method for ").count(), "{}", path.display());
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            if stem == "mod" {
                assert!(names.is_empty(), "{}: a method has a file of its own", path.display());
            } else if !names.is_empty() {
                found.insert(format!("{}/{stem}", folder.display()), names);
            }
        }
    }
    found
}

#[test]
fn every_method_that_is_written_is_registered() {
    let written: BTreeSet<_> = written_down().into_values().flatten().collect();
    let registered: BTreeSet<_> = catalog().iter().map(|entry| entry.name.clone()).collect();
    let missing = written.difference(&registered).map(|name| format!("{name} is written and not registered"));
    let hidden = registered.difference(&written);
    let hidden = hidden.map(|name| format!("{name} is registered and not in a src/methods of actors/"));
    none(&missing.chain(hidden).collect::<Vec<_>>());
}

#[test]
fn a_method_stands_in_the_file_of_its_name() {
    let mut wrong = Vec::new();
    for (path, names) in written_down() {
        let stem = path.rsplit('/').next().unwrap_or_default();
        let expected: Vec<_> = names.iter().map(|name| snake(name)).collect();
        if names.len() != 1 || !expected[0].ends_with(stem) {
            wrong.push(format!("{path}.rs holds {names:?}"));
        }
    }
    none(&wrong);
}

/// `mcp.licence.check` is `licence_check`, `mcp.fs.emptyTrash` is `fs_empty_trash`.
fn snake(name: &str) -> String {
    catalog().get(name).map_or_else(String::new, |entry| entry.tool_name())
}
