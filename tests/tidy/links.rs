//! What the documents point to is there.

use crate::{files, none, repository, texts};

/// Written by people; what is generated is checked where it is generated.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

fn documents() -> impl Iterator<Item = (String, String)> {
    texts(".md").into_iter().filter(|(name, _)| DOCUMENTS.contains(&name.as_str()))
}

#[test]
fn links_lead_somewhere() {
    none(&documents().flat_map(|(name, text)| broken_links(&name, &text)).collect::<Vec<_>>());
}

#[test]
fn paths_that_are_named_are_there() {
    none(&documents().flat_map(|(name, text)| missing_paths(&name, &text)).collect::<Vec<_>>());
}

#[test]
fn these_rules_see_what_they_should() {
    let links = "[a](protocol/src/lib.rs) [b](https://example.com) [c](tests/nothing.rs) [d](#nowhere) \
        [e](protocol/METHODS.md#errors) [f](protocol/METHODS.md#nothing)";
    assert_eq!(broken_links("protocol/METHODS.md", links).len(), 3);
    let paths = "See `protocol/src/`, tests/tidy/main.rs, protocol/src/nothing.rs; and/or actors/*/src, \
        runtime/{edge,daemon}/, /run/mcp/fs.sock (tests/gone.rs).";
    assert_eq!(missing_paths("README.md", paths).len(), 2);
}

fn broken_links(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    for target in targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")) {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let document = if path.is_empty() { name } else { path.trim_end_matches('/') };
        if !repository().join(document).exists() {
            wrong.push(format!("{name}: {target} is not there"));
        } else if !anchor.is_empty() && !has_anchor(document, anchor) {
            wrong.push(format!("{name}: {document} has no heading #{anchor}"));
        }
    }
    wrong
}

/// Whether a document has the heading that `anchor` leads to.
fn has_anchor(document: &str, anchor: &str) -> bool {
    let slug = |heading: &str| {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    let text = std::fs::read_to_string(repository().join(document)).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#'))).any(|heading| heading == anchor)
}

fn missing_paths(name: &str, text: &str) -> Vec<String> {
    let files = files();
    let top = |first: &str| files.iter().any(|name| name.starts_with(&format!("{first}/")));
    let words = text.split(|c: char| c.is_whitespace() || "`'\"()[],;<>|".contains(c));
    let words = words.map(|word| word.trim_end_matches(['.', ':', '/', '!', '?']));
    // A path of ours: it begins with a folder of the repository, and holds no pattern.
    let ours = words.filter(|word| word.split_once('/').is_some_and(|(first, _)| top(first)));
    let plain = ours.filter(|word| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)));
    let missing = plain.filter(|word| !repository().join(word).exists());
    missing.map(|word| format!("{name}: {word} is not there")).collect()
}
