//! The labelled pairs: what somebody asks, and the passage that answers it, written down in `pairs/`.
//!
//! A line is `FAVOURS | QUERY | PATH | MARKER`: what the query favours, the query, the document, and some words that
//! stand in the passage and nowhere else in the corpus.

use crate::corpus::sources;

/// What a query is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Favours {
    /// It has names, numbers or codes of the passage.
    Words,
    /// It says what the passage says, in other words.
    Meaning,
    /// Some of both.
    Mixed,
}

#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) favours: Favours,
    pub(crate) query: String,
    pub(crate) path: String,
    pub(crate) marker: String,
}

/// Every pair, in the order in which they are written.
pub(crate) fn pairs() -> Vec<Pair> {
    sources("pairs")
        .iter()
        .flat_map(|source| source.lines())
        .filter(|line| !line.is_empty())
        .map(pair)
        .collect()
}

fn pair(line: &str) -> Pair {
    let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
    let [favours, query, path, marker] = parts[..] else { panic!("no pair: {line}") };
    let favours = match favours {
        "words" => Favours::Words,
        "meaning" => Favours::Meaning,
        "mixed" => Favours::Mixed,
        other => panic!("{other}: {line}"),
    };
    Pair { favours, query: query.to_owned(), path: format!("/{path}"), marker: marker.to_owned() }
}
