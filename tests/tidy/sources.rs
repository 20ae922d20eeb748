//! What a source file looks like: it says first what it is for, it is one idea long, and nothing in it is left over.

use crate::{none, texts};

/// A file is one idea; past the first number ask which half a newcomer would look for, past the second split it.
const LINES_AIM: usize = 400;
const LINES_MAX: usize = 500;

/// What is not left in a commit. In halves, so that this file does not hold what it forbids.
const LEFT_OVER: &[(&str, &str)] = &[
    (concat!("to", "do!("), "do it, or leave it out"),
    (concat!("un", "implemented!("), "do it, or leave it out"),
    (concat!("#[ig", "nore"), "a test that is not run is no test"),
    (concat!("db", "g!("), "say it with tracing"),
    (concat!("FIX", "ME"), "fix it"),
];

#[test]
fn every_file_says_first_what_it_is_for() {
    let mut wrong = Vec::new();
    for (name, text) in texts(".rs") {
        let head: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let paragraph = head.iter().take_while(|line| !line.trim().is_empty()).map(|line| line.trim());
        let paragraph = paragraph.collect::<Vec<_>>().join(" ");
        if paragraph.is_empty() {
            wrong.push(format!("{name} does not begin with `//!`"));
        } else if !paragraph.trim_end_matches(')').ends_with(['.', ':', ';', '?']) || paragraph == "To come."
        {
            wrong.push(format!("{name} begins with no sentence: {paragraph}"));
        }
    }
    none(&wrong);
}

#[test]
fn no_file_is_too_long() {
    let long = |max| {
        let lengths = texts(".rs").into_iter().map(|(name, text)| (text.lines().count(), name));
        let mut long: Vec<_> = lengths.filter(|(lines, _)| *lines > max).collect();
        long.sort();
        long.into_iter().rev().map(|(lines, name)| format!("{lines} {name}")).collect::<Vec<_>>()
    };
    let worth_a_look = long(LINES_AIM);
    assert!(
        long(LINES_MAX).is_empty(),
        "over {LINES_MAX} lines, or over {LINES_AIM} and worth a look:\n{}",
        worth_a_look.join("\n"),
    );
}

#[test]
fn nothing_is_left_over() {
    let mut wrong = Vec::new();
    for (name, text) in texts(".rs") {
        for (at, line) in text.lines().enumerate() {
            let found = LEFT_OVER.iter().filter(|(sign, _)| line.contains(sign));
            wrong.extend(found.map(|(sign, advice)| format!("{name}:{}: {sign} ({advice})", at + 1)));
        }
    }
    none(&wrong);
}

#[test]
fn every_exception_names_its_reason() {
    let mut wrong = Vec::new();
    for (name, text) in texts(".rs") {
        for (at, _) in text.match_indices("[allow(").chain(text.match_indices("[expect(")) {
            if !text[..at].ends_with(['#', '!']) {
                continue;
            }
            let attribute = text[at..].split_once(")]").map_or(&text[at..], |(attribute, _)| attribute);
            if !attribute.contains("reason = ") {
                let line = text[..at].lines().count();
                wrong.push(format!("{name}:{line}: {attribute})] has no reason"));
            }
        }
    }
    none(&wrong);
}
