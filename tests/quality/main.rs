//! How good the search is: labelled pairs of query and passage over a person's files, with the real model.
//!
//! Measured by file, where a hit counts when the file is the right one, and by passage, where it must hold the words
//! that answer. The rival is the scheme that this project began with: one vector for a whole file, of which the model
//! reads the first 256 tokens.

mod corpus;
mod figures;
mod made;
#[path = "../../actors/text/src/tests/make.rs"]
mod make;
mod pairs;
mod world;

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use embedding::Role;
use index::{Hit, Mode};

use crate::corpus::{Document, documents};
use crate::figures::{Places, Way, table};
use crate::pairs::{Pair, pairs};
use crate::world::{PATIENCE, World, text_of};

const MODES: [(&str, Mode); 3] =
    [("semantic", Mode::Semantic), ("keyword", Mode::Keyword), ("hybrid", Mode::Hybrid)];

#[test]
fn hybrid_is_better_than_its_halves_and_than_one_vector_for_a_file() {
    harness::run_within(PATIENCE, async {
        let (documents, pairs, began) = (documents(), pairs(), Instant::now());
        let world = World::of(&documents).await;
        let status = world.status();
        let indexed = began.elapsed();
        assert_eq!((status.files, status.skipped), (documents.len() as u64, 0));

        let (mut by_file, mut by_passage) = (Vec::new(), Vec::new());
        for (name, mode) in MODES {
            let (files, passages) = places(&world, &pairs, mode).await;
            by_file.push(Way { name, places: files });
            by_passage.push(Way { name, places: passages });
        }
        by_file.push(Way { name: "whole file", places: whole_files(&world, &documents, &pairs).await });
        println!(
            "{} pairs over {} files in {} pieces; indexed in {:.0} s, all in {:.0} s\n\nnDCG@10 / recall@10\n{}\n{}",
            pairs.len(),
            status.files,
            status.chunks,
            indexed.as_secs_f64(),
            began.elapsed().as_secs_f64(),
            table("by file", &by_file, &pairs),
            table("by passage", &by_passage, &pairs),
        );

        let (hybrid, others) = (by_file.remove(2), by_file);
        for other in others {
            let (ours, theirs) = (hybrid.figures(), other.figures());
            assert!(
                ours.ndcg > theirs.ndcg && ours.recall > theirs.recall,
                "hybrid has {ours:?}, {} has {theirs:?}",
                other.name
            );
        }
    });
}

/// Where the right file stood among the files, and where the right passage among all pieces.
async fn places(world: &World, pairs: &[Pair], mode: Mode) -> (Places, Places) {
    let (mut by_file, mut by_passage) = (Places::new(), Places::new());
    for Pair { query, path, marker, .. } in pairs {
        let hits = world.ask(query, mode).await;
        let mut files: Vec<&str> = Vec::new();
        for hit in &hits {
            if !files.contains(&hit.path.as_str()) {
                files.push(&hit.path);
            }
        }
        by_file.push(files.iter().position(|file| file == path));
        by_passage.push(hits.iter().position(|hit| hit.path == *path && holds(world, hit, marker)));
    }
    (by_file, by_passage)
}

fn holds(world: &World, hit: &Hit, marker: &str) -> bool {
    let at = |byte: u64| usize::try_from(byte).expect("files here are small");
    let text = world.text(&hit.path).get(at(hit.bytes.0)..at(hit.bytes.1));
    spaced(text.expect("a piece is a part of its file")).contains(&spaced(marker))
}

/// A text in one line: where a PDF breaks its lines says nothing.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the right file stands by the cosine of one vector for each file.
async fn whole_files(world: &World, documents: &[Document], pairs: &[Pair]) -> Places {
    let texts = documents.iter().map(|document| world.text(&document.path).to_owned()).collect();
    let vectors = world.vectors(Role::Passage, texts).await;
    let queries = world.vectors(Role::Query, pairs.iter().map(|pair| pair.query.clone()).collect()).await;
    let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    let place = |query: &Vec<f32>, pair: &Pair| {
        let scores: Vec<f32> = vectors.iter().map(|vector| dot(query, vector)).collect();
        let right = documents.iter().position(|document| document.path == pair.path)?;
        Some(scores.iter().filter(|score| **score > scores[right]).count())
    };
    queries.iter().zip(pairs).map(|(query, pair)| place(query, pair)).collect()
}

#[test]
fn the_corpus_is_a_persons_disk() {
    let documents = documents();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for document in &documents {
        *kinds.entry(document.kind()).or_default() += 1;
    }
    let of = |names: &[&str]| names.iter().filter_map(|name| kinds.get(name)).sum::<usize>();
    let long = documents.iter().filter(|document| document.is_long()).count();
    let paths: HashSet<&str> = documents.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths.len(), documents.len(), "every path is one document's");
    println!("{} documents, {long} of them long: {kinds:?}", documents.len());
    assert!(documents.len() >= 400 && long >= 60, "{} documents, {long} long", documents.len());
    assert!(of(&["pdf"]) >= 25 && of(&["docx"]) >= 25 && of(&["html"]) >= 40, "{kinds:?}");
    assert!(of(&["py", "rs", "js", "ts", "sh", "sql", "c", "go"]) >= 60, "{kinds:?}");
}

#[test]
fn every_pair_is_answered_by_one_passage_of_one_file() {
    let texts: Vec<(String, String)> =
        documents().iter().map(|document| (document.path.clone(), spaced(&text_of(document)))).collect();
    let (mut wrong, mut asked) = (Vec::new(), HashSet::new());
    for Pair { query, path, marker, .. } in pairs() {
        let marker = spaced(&marker);
        let places: Vec<(&str, usize)> = texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.matches(&marker).count()))
            .filter(|(_, count)| *count > 0)
            .collect();
        if places != [(path.as_str(), 1)] {
            wrong.push(format!("{marker:?} of {path} is in {places:?}"));
        }
        if !asked.insert(query.clone()) {
            wrong.push(format!("{query:?} is asked twice"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked.len() >= 130, "{} pairs", asked.len());
}
